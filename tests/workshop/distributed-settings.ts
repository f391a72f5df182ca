import { Type } from '@sinclair/typebox';

const list = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });
const hosts = Type.Array(Type.String({ pattern: '^[^:\\s]+:\\d{1,5}$' }), { minItems: 1 });
const text = Type.String({ minLength: 1 });
const strict = { additionalProperties: false } as const;

/**
 * What docker-compose.yml may set for an app. The place to plug the apps' own schema in: once they have one, export that
 * under this name, and every variable of the file is checked against the code.
 */
export const distributedSettings = Type.Object(
  {
    host: text,
    port: Type.Integer(),
    dataDir: text,
    logLevel: text,
    kafka: Type.Object({ brokers: hosts }, strict),
    postgres: Type.Object({ hosts, patroni: list, database: text, user: text, password: text }, strict),
    redis: Type.Object({ mode: Type.Literal('sentinel'), nodes: hosts, primaryName: text }, strict),
    venue: Type.Optional(Type.Object({ address: text }, strict)),
  },
  strict,
);
