import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A process that has the application's role alone can see which schema it is given. */
export class AppSeesSchema1700000000205 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('GRANT SELECT ON schema_migrations TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('REVOKE SELECT ON schema_migrations FROM moon_app');
  }
}
