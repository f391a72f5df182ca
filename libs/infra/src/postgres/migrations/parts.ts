/**
 * Moves streams on from the versions that a batch expects. Part of functions with the parameters stream_ids,
 * expected_versions and new_versions and a variable `lost text[]`. Raises MN409 with the streams as JSON in DETAIL when
 * one is not at its version. Text of migrations: never changed, only replaced by a further migration.
 */
export const ADVANCE_STREAMS = `FOR i IN 1 .. array_length(stream_ids, 1) LOOP
      IF expected_versions[i] = 0 THEN
        INSERT INTO streams (stream_id, version) VALUES (stream_ids[i], new_versions[i]) ON CONFLICT DO NOTHING;
      ELSE
        UPDATE streams SET version = new_versions[i] WHERE stream_id = stream_ids[i] AND version = expected_versions[i];
      END IF;
      IF NOT FOUND THEN
        lost := lost || stream_ids[i];
      END IF;
    END LOOP;
    IF lost IS NOT NULL THEN
      -- A statement of its own: it sees what the winner has committed meanwhile.
      RAISE EXCEPTION 'A stream is not at its expected version' USING ERRCODE = 'MN409', DETAIL = (
        SELECT json_agg(json_build_object('stream', g.id, 'expected', g.expected, 'actual', coalesce(s.version, 0)))
        FROM unnest(stream_ids, expected_versions) AS g(id, expected)
        LEFT JOIN streams s ON s.stream_id = g.id
        WHERE g.id = ANY (lost));
    END IF;`;
