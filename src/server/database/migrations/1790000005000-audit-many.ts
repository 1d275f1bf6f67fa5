import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Many entries are appended by one call, so that the head of a chain is read and written once for all of them. */
export class AuditMany1790000005000 implements MigrationInterface {
  name = 'AuditMany1790000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(AUDIT_MANY);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const AUDIT_MANY = `
DROP FUNCTION audit_append(text, text, text, text, jsonb, jsonb, text, text, text);
-- In the order of the array. Chains are locked by name, so that two who append to several do not wait for each other.
CREATE FUNCTION audit_append(entries jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  head audit_heads%ROWTYPE;
  entry audit%ROWTYPE;
  given record;
BEGIN
  FOR given IN SELECT e.* FROM ROWS FROM (jsonb_to_recordset(entries) AS (chain text, actor text, action text,
      subject text, before jsonb, after jsonb, reason text, policy text)) WITH ORDINALITY AS e(chain, actor, action,
      subject, before, after, reason, policy, place) ORDER BY e.chain COLLATE "C", e.place LOOP
    IF head.chain IS DISTINCT FROM given.chain THEN
      UPDATE audit_heads h SET number = head.number, hash = head.hash WHERE h.chain = head.chain;
      INSERT INTO audit_heads VALUES (given.chain, 0, sha256(convert_to(given.chain, 'UTF8'))) ON CONFLICT DO NOTHING;
      SELECT * INTO head FROM audit_heads h WHERE h.chain = given.chain FOR UPDATE;
    END IF;
    entry := ROW(given.chain, head.number + 1, clock_timestamp(), given.actor, given.action, given.subject, given.before,
      given.after, given.reason, NULL, given.policy, head.hash, '\\x'::bytea);
    entry.hash := audit_hash(entry);
    INSERT INTO audit SELECT entry.*;
    head.number := entry.number;
    head.hash := entry.hash;
  END LOOP;
  UPDATE audit_heads h SET number = head.number, hash = head.hash WHERE h.chain = head.chain;
END $$;`;
