import type { LiveMember, MemberContracts } from '@moon/infra';
import { contractProblems, emittedVersions } from './contracts';

const at = (version: number, emits = version): MemberContracts => {
  const versions = (of: number): Record<string, number> => (of === 1 ? {} : { 'signal.generated': of });
  return { owner: `execution@v${version}`, reads: versions(version), emits: versions(emits) };
};
const member = (contracts: MemberContracts | null): LiveMember => ({ group: 'consensus', memberId: 'm-1', contracts });

describe('versions of events in a rolling deployment', () => {
  it('fit among equals, and where the newer code emits what the older reads', () => {
    expect(contractProblems(at(2), [member(at(2)), member(at(2, 1))])).toEqual([]);
    expect(contractProblems(at(2, 1), [member(at(1))])).toEqual([]);
    expect(contractProblems(at(1), [member(at(2, 1))])).toEqual([]);
  });

  it('a new version is not emitted while a live process cannot read it: who, what, and what to do', () => {
    const [problem, ...more] = contractProblems(at(2), [member(at(1)), member(at(1)), member(at(2))]);
    expect(problem).toContain(
      'execution@v1 reads signal.generated up to version 1, and this process would emit version 2',
    );
    expect(problem).toContain('"contracts.emit" {"signal.generated": 1}');
    expect(more).toEqual([]);
  });

  it('a member that says nothing reads first versions only', () => {
    expect(contractProblems(at(2), [member(null)])[0]).toContain('m-1 reads signal.generated up to version 1');
  });

  it('older code does not come back while a newer version is emitted', () => {
    expect(contractProblems(at(1), [member(at(2))])[0]).toContain(
      'execution@v2 emits signal.generated at version 2, and this process reads up to version 1',
    );
  });

  it('settings that name no version are refused by name', () => {
    expect(() => emittedVersions({ contracts: { emit: { 'signal.genrated': 1 } } })).toThrow(
      '"contracts.emit": "signal.genrated" is no event type',
    );
  });
});
