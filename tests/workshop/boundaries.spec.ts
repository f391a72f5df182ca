import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { foldersIn, root } from './repository';

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

/** Runs dependency-cruiser with the repository's rules over the folders of a tree. */
function violations(tree: string, folders: string[]): Violation[] {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [cruiser, '--config', join(tree, '.dependency-cruiser.cjs'), '--output-type', 'json', ...folders],
    { cwd: tree, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (stdout === '') throw new Error(`dependency-cruiser said nothing: ${stderr}`);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

describe('the import boundaries', () => {
  let tree: string;
  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'moon-boundaries-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
      cpSync(join(root, file), join(tree, file));
    symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  });
  afterEach(() => rmSync(tree, { recursive: true }));

  /** Writes the planted files, then tells which rules each of them breaks. */
  function brokenRules(files: Record<string, string>): string[] {
    const libraries = ['events', 'domain', 'kernel', 'backtesting', 'infra'];
    const indexes = Object.fromEntries(
      libraries.map((lib) => [`libs/${lib}/src/index.ts`, `export const ${lib} = 1;\n`]),
    );
    for (const [path, code] of Object.entries({ ...indexes, ...files })) {
      mkdirSync(join(tree, dirname(path)), { recursive: true });
      writeFileSync(join(tree, path), code);
    }
    const folders = foldersWith(Object.keys(files));
    const found = violations(tree, folders).map(({ rule, from }) => `${from}: ${rule.name}`);
    return [...new Set(found)].sort();
  }
  const foldersWith = (paths: string[]) => [...new Set(['libs', ...paths.map((path) => path.split('/')[0] ?? '')])];

  it('[SYS-6] let no agent import another, and no agent of this repository does', () => {
    expect(
      brokenRules({
        'libs/domain/src/agents/risk/agent.ts': "import { view } from '../trading/view';\nexport const a = view;\n",
        'libs/domain/src/agents/chart/agent.ts':
          "import type { View } from '../trading/view';\nexport type A = View;\n",
        'libs/domain/src/agents/funding/agent.ts': "import { shared } from '../../shared';\nexport const a = shared;\n",
        'libs/domain/src/shared.ts': "import { view } from './agents/trading/view';\nexport const shared = view;\n",
        'libs/domain/src/agents/trading/view.ts': 'export const view = 1;\nexport type View = number;\n',
        'libs/domain/src/agents/trading/agent.ts': "import { view } from './view';\nexport const a = view;\n",
      }),
    ).toEqual([
      'libs/domain/src/agents/chart/agent.ts: agents-know-events-only',
      'libs/domain/src/agents/chart/agent.ts: agents-reach-no-agent',
      'libs/domain/src/agents/funding/agent.ts: agents-reach-no-agent',
      'libs/domain/src/agents/risk/agent.ts: agents-know-events-only',
      'libs/domain/src/agents/risk/agent.ts: agents-reach-no-agent',
    ]);

    const agents = ['chart', 'correlation', 'funding', 'liquidation', 'risk', 'sentiment', 'trading'];
    expect(foldersIn('libs/domain/src/agents')).toEqual(expect.arrayContaining(agents));
    const between = violations(root, ['libs/domain']).filter(({ rule }) => rule.name.startsWith('agents-'));
    expect(between).toEqual([]);
  });

  it('are the import table between libraries', () => {
    const imports = (lib: string) => `import { ${lib} } from '@moon/${lib}';\nexport const a = ${lib};\n`;

    expect(
      brokenRules({
        'libs/events/src/planted.ts': imports('domain'),
        'libs/domain/src/planted.ts': imports('kernel'),
        'libs/kernel/src/planted.ts': imports('infra'),
        'libs/backtesting/src/planted.ts': imports('infra'),
        'libs/infra/src/planted.ts': imports('domain'),
        'libs/infra/src/allowed.ts': imports('kernel'),
        'libs/kernel/src/allowed.ts': imports('domain'),
        'libs/domain/src/allowed.ts': imports('events'),
        'libs/backtesting/src/allowed.ts': imports('kernel'),
      }),
    ).toEqual([
      'libs/backtesting/src/planted.ts: backtesting-imports',
      'libs/domain/src/planted.ts: domain-imports',
      'libs/events/src/planted.ts: events-imports',
      'libs/infra/src/planted.ts: infra-imports',
      'libs/kernel/src/planted.ts: kernel-imports',
    ]);
  });

  it('keep a library behind its index.ts, an app out of another, and tests out of what runs', () => {
    expect(
      brokenRules({
        'libs/events/src/inner.ts': 'export const inner = 1;\n',
        'libs/events/src/inner.spec.ts': "import { inner } from './inner';\nexport const a = inner;\n",
        'libs/events/src/loads-spec.ts': "import { a } from './inner.spec';\nexport const b = a;\n",
        'libs/kernel/src/deep.spec.ts': "import { inner } from '../../events/src/inner';\nexport const a = inner;\n",
        'libs/kernel/src/deep.ts': "import { inner } from '../../events/src/inner';\nexport const a = inner;\n",
        'apps/agents/src/agents.module.ts': 'export const agentsModule = 1;\n',
        'apps/agents/src/inner.ts': 'export const inner = 1;\n',
        'apps/recorder/src/planted.ts':
          "import { agentsModule } from '@moon/app-agents';\nexport const a = agentsModule;\n",
        'apps/standalone/src/allowed.ts':
          "import { agentsModule } from '@moon/app-agents';\nexport const a = agentsModule;\n",
        'apps/standalone/src/planted.ts': "import { inner } from '../../agents/src/inner';\nexport const a = inner;\n",
      }),
    ).toEqual([
      'apps/recorder/src/planted.ts: app-imports-app',
      'apps/standalone/src/planted.ts: app-internals',
      'libs/events/src/loads-spec.ts: no-tests-in-production',
      'libs/kernel/src/deep.spec.ts: lib-internals-from-tests',
      'libs/kernel/src/deep.ts: lib-internals',
    ]);
  });

  it('refuse cycles, I/O and frameworks in rules, and packages that nobody names', () => {
    expect(
      brokenRules({
        'libs/kernel/src/a.ts': "import { b } from './b';\nexport const a = (): number => b();\n",
        'libs/kernel/src/b.ts': "import { a } from './a';\nexport const b = (): number => a();\n",
        'libs/domain/src/reads.ts': "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
        'libs/domain/src/hashes.ts': "import { createHash } from 'node:crypto';\nexport const a = createHash;\n",
        'libs/domain/src/wires.ts': "import { Module } from '@nestjs/common';\nexport const a = Module;\n",
        'libs/infra/src/tool.ts': "import fc from 'fast-check';\nexport const a = fc;\n",
        'libs/infra/src/lost.ts': "import { a } from './nowhere';\nexport const b = a;\n",
      }),
    ).toEqual([
      'libs/domain/src/reads.ts: no-io-in-rules',
      'libs/domain/src/wires.ts: no-framework-in-rules',
      'libs/infra/src/lost.ts: no-unresolvable',
      'libs/infra/src/tool.ts: not-to-dev-dependencies',
      'libs/kernel/src/a.ts: no-circular',
    ]);
  });
});
