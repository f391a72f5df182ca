import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Ids of inputs that a shard remembers, piece by piece as its checkpoints brought them. Written once: a checkpoint that
 * carried all of them would write some 400 KB every few seconds for each shard.
 */
const SHARD_IDS = `
CREATE TABLE shard_ids (
  shard text NOT NULL,
  -- Of the checkpoint that brought them.
  seq bigint NOT NULL,
  count integer NOT NULL,
  -- 16 bytes a UUID, oldest first.
  packed bytea NOT NULL,
  -- Ids that are no UUIDs.
  others json NOT NULL,
  PRIMARY KEY (shard, seq)
)`;

/** A checkpoint, and the ids that came since the one before: see save_shard_checkpoint. */
const SAVE = `
CREATE FUNCTION save_shard_checkpoint_ids(
  shard_name text, claim_epoch bigint, new_seq bigint, new_states text, new_meta text, new_positions text,
  new_count integer, new_packed text, new_others json
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM save_shard_checkpoint(shard_name, claim_epoch, new_seq, new_states, new_meta, new_positions);
  IF new_count > 0 THEN
    INSERT INTO shard_ids (shard, seq, count, packed, others)
    VALUES (shard_name, new_seq, new_count, decode(new_packed, 'base64'), new_others) ON CONFLICT (shard, seq) DO NOTHING;
  END IF;
END
$$`;

/** Drops pieces that none of the kept checkpoints needs: each of them has \`keep\` ids in newer pieces. */
const PRUNE = `
CREATE FUNCTION prune_shard_ids(shard_name text, keep bigint) RETURNS void
LANGUAGE sql AS $$
  DELETE FROM shard_ids WHERE shard = shard_name AND seq IN (
    SELECT seq FROM (
      SELECT seq, sum(count) OVER (ORDER BY seq DESC) - count AS newer FROM shard_ids
      WHERE shard = shard_name AND seq <= (SELECT min(seq) FROM shard_checkpoints WHERE shard = shard_name)) AS aged
    WHERE newer >= keep)
$$`;

/** Remembered ids are kept beside the checkpoints of shards. */
export class ShardIds1700000000204 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(SHARD_IDS);
    // Hashes do not compress.
    await runner.query('ALTER TABLE shard_ids ALTER COLUMN packed SET STORAGE EXTERNAL');
    await runner.query(SAVE);
    await runner.query(PRUNE);
    await runner.query('GRANT SELECT, INSERT, DELETE ON shard_ids TO moon_app');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP FUNCTION prune_shard_ids');
    await runner.query('DROP FUNCTION save_shard_checkpoint_ids');
    await runner.query('DROP TABLE shard_ids');
  }
}
