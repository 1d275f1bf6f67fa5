import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger: who asked for what, who holds what, and what was decided. What must never happen is refused here, by
 * constraints and triggers, whatever the program above believes. Errors of ours carry an SQLSTATE of class `BE`:
 * BE001 stale epoch · BE002 node over capacity · BE003 node takes no work · BE004 append-only ·
 * BE005 a pod born with a claim. A slot over 1,000 milli
 * is an ordinary check violation (23514) of `slots_claims` or `slots_occupancies`.
 */
export class Ledger1790000000000 implements MigrationInterface {
  name = 'Ledger1790000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const part of [TEAMS_AND_QUOTAS, FLEET, WORKLOADS, DECISIONS, PODS, AUDIT, ACCESS]) await runner.query(part);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward: restore a backup to go back.'));
  }
}

const TEAMS_AND_QUOTAS = `
CREATE TABLE settings (
  key   text PRIMARY KEY,
  value jsonb NOT NULL
);
CREATE TABLE teams (
  name       text PRIMARY KEY CHECK (name ~ '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$'),
  title      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE flavors (
  name        text PRIMARY KEY,
  model       text,
  node_labels jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE queues (
  name         text PRIMARY KEY,
  parent       text REFERENCES queues,
  team         text REFERENCES teams,
  weight       integer NOT NULL DEFAULT 1 CHECK (weight >= 0),
  reclaim      text NOT NULL DEFAULT 'any' CHECK (reclaim IN ('any', 'lowerPriority', 'never')),
  within_queue text NOT NULL DEFAULT 'lowerPriority' CHECK (within_queue IN ('lowerPriority', 'never'))
);
CREATE TABLE queue_quotas (
  queue            text NOT NULL REFERENCES queues,
  flavor           text NOT NULL REFERENCES flavors,
  nominal          bigint NOT NULL CHECK (nominal >= 0),
  borrowing_limit  bigint CHECK (borrowing_limit >= 0),
  lending_limit    bigint CHECK (lending_limit >= 0),
  max_per_workload bigint CHECK (max_per_workload >= 0),
  PRIMARY KEY (queue, flavor)
);
-- used = sum of the live charges of this leaf queue; parents follow from their children
CREATE TABLE queue_usage (
  queue  text NOT NULL REFERENCES queues,
  flavor text NOT NULL,
  used   bigint NOT NULL CHECK (used >= 0),
  PRIMARY KEY (queue, flavor)
);`;

const FLEET = `
CREATE TABLE nodes (
  name            text PRIMARY KEY,
  spec            jsonb NOT NULL,
  state           text NOT NULL DEFAULT 'healthy',
  cause           text NOT NULL DEFAULT '',
  unschedulable   boolean NOT NULL DEFAULT false,
  -- what the driver is still to be asked: only virtual nodes fail on demand
  wish            text CHECK (wish IN ('fail', 'restore')),
  cpu_milli       bigint NOT NULL,
  memory_mib      bigint NOT NULL,
  pods_max        integer NOT NULL,
  cpu_claimed     bigint NOT NULL DEFAULT 0 CHECK (cpu_claimed >= 0),
  memory_claimed  bigint NOT NULL DEFAULT 0 CHECK (memory_claimed >= 0),
  pods_claimed    integer NOT NULL DEFAULT 0 CHECK (pods_claimed >= 0),
  cpu_occupied    bigint NOT NULL DEFAULT 0 CHECK (cpu_occupied >= 0),
  memory_occupied bigint NOT NULL DEFAULT 0 CHECK (memory_occupied >= 0),
  pods_occupied   integer NOT NULL DEFAULT 0 CHECK (pods_occupied >= 0),
  removed_at      timestamptz
);
-- A claim is the right to a slot, an occupancy is what runs there; a pre-emptor claims what its victim still occupies.
CREATE TABLE slots (
  node           text NOT NULL REFERENCES nodes,
  slot           integer NOT NULL CHECK (slot >= 0),
  claimed_milli  integer NOT NULL DEFAULT 0 CONSTRAINT slots_claims CHECK (claimed_milli BETWEEN 0 AND 1000),
  occupied_milli integer NOT NULL DEFAULT 0 CONSTRAINT slots_occupancies CHECK (occupied_milli BETWEEN 0 AND 1000),
  PRIMARY KEY (node, slot)
);`;

const WORKLOADS = `
CREATE TABLE workloads (
  uid                 uuid PRIMARY KEY,
  team                text NOT NULL REFERENCES teams,
  name                text NOT NULL,
  queue               text NOT NULL REFERENCES queues,
  labels              jsonb NOT NULL DEFAULT '{}',
  spec                jsonb NOT NULL,
  created_at          timestamptz NOT NULL DEFAULT now(),
  created_by          text NOT NULL,
  cancel_requested_at timestamptz,
  deleted_at          timestamptz,
  -- below this line only the leading scheduler writes
  state               text NOT NULL DEFAULT 'pending' CHECK (state IN
                      ('pending', 'starting', 'running', 'evicting', 'succeeded', 'failed', 'cancelled')),
  incarnation         integer NOT NULL DEFAULT 0,
  round               integer NOT NULL DEFAULT 0,
  retries             integer NOT NULL DEFAULT 0,
  not_before          timestamptz,
  -- while evicting: what comes after, when it is not another try
  ending              text CHECK (ending IN ('fail', 'end')),
  -- while pending: the binding constraint, or until one is known why it stopped; while evicting and after the end: why
  reason              text NOT NULL DEFAULT '',
  message             text NOT NULL DEFAULT '',
  started_at          timestamptz,
  finished_at         timestamptz
);
CREATE UNIQUE INDEX workloads_name ON workloads (team, name) WHERE deleted_at IS NULL;
CREATE INDEX workloads_unfinished ON workloads (created_at) WHERE finished_at IS NULL;
CREATE INDEX workloads_page ON workloads (created_at DESC, uid);
CREATE TABLE charges (
  workload uuid NOT NULL REFERENCES workloads,
  queue    text NOT NULL REFERENCES queues,
  flavor   text NOT NULL,
  milli    bigint NOT NULL CHECK (milli >= 0),
  PRIMARY KEY (workload, queue, flavor)
);
CREATE INDEX charges_queue ON charges (queue, flavor);
CREATE FUNCTION count_charge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  more bigint := coalesce(NEW.milli, 0) - coalesce(OLD.milli, 0);
  q text := coalesce(NEW.queue, OLD.queue);
  f text := coalesce(NEW.flavor, OLD.flavor);
BEGIN
  INSERT INTO queue_usage VALUES (q, f, 0) ON CONFLICT DO NOTHING;
  UPDATE queue_usage SET used = used + more WHERE queue = q AND flavor = f;
  RETURN NULL;
END $$;
CREATE TRIGGER charges_count AFTER INSERT OR UPDATE OF milli OR DELETE ON charges FOR EACH ROW
  EXECUTE FUNCTION count_charge();
-- What the pods report, newest per rank. Written by the API, never by the scheduler.
CREATE TABLE progress (
  workload    uuid NOT NULL REFERENCES workloads,
  rank        integer NOT NULL,
  incarnation integer NOT NULL,
  sequence    bigint NOT NULL,
  body        jsonb NOT NULL,
  epochs      jsonb NOT NULL DEFAULT '[]',
  failure     text,
  reported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (workload, rank)
);
CREATE TABLE reports (
  workload    uuid PRIMARY KEY REFERENCES workloads,
  incarnation integer NOT NULL,
  body        jsonb NOT NULL,
  html        text,
  received_at timestamptz NOT NULL DEFAULT now()
);
-- Wishes in the order in which they were committed. Read by (txid, seq) below the snapshot's xmin, so that a row that
-- commits late is never skipped.
CREATE TABLE commands (
  seq      bigint GENERATED ALWAYS AS IDENTITY,
  txid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  kind     text NOT NULL CHECK (kind IN ('workload-submitted', 'workload-cancelled', 'node-cordoned', 'node-uncordoned',
           'quotas-changed')),
  workload uuid REFERENCES workloads,
  node     text,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (txid, seq)
);
CREATE FUNCTION tell_commands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('berth_commands', '');
  RETURN NULL;
END $$;
CREATE TRIGGER commands_tell AFTER INSERT ON commands FOR EACH STATEMENT EXECUTE FUNCTION tell_commands();`;

const DECISIONS = `
CREATE TABLE leadership (
  id         integer PRIMARY KEY CHECK (id = 1),
  epoch      bigint NOT NULL,
  holder     text NOT NULL,
  expires_at timestamptz NOT NULL
);
INSERT INTO leadership VALUES (1, 0, '', '-infinity');
CREATE FUNCTION assert_epoch(writer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE current bigint;
BEGIN
  SELECT epoch INTO current FROM leadership WHERE id = 1 FOR SHARE;
  IF writer IS DISTINCT FROM current THEN
    RAISE EXCEPTION 'epoch % is not the current epoch %', writer, current USING ERRCODE = 'BE001';
  END IF;
END $$;
CREATE FUNCTION refuse_stale_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM assert_epoch(NEW.epoch);
  RETURN NEW;
END $$;
CREATE TABLE decisions (
  epoch    bigint NOT NULL,
  id       bigint NOT NULL,
  set_id   bigint NOT NULL,
  kind     text NOT NULL,
  workload uuid NOT NULL REFERENCES workloads,
  body     jsonb NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (epoch, id)
);
CREATE INDEX decisions_workload ON decisions (workload, at);
CREATE TRIGGER decisions_epoch BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION refuse_stale_epoch();`;

const PODS = `
CREATE TABLE pods (
  name        text PRIMARY KEY,
  workload    uuid NOT NULL REFERENCES workloads,
  incarnation integer NOT NULL,
  pod_set     text NOT NULL,
  index       integer NOT NULL,
  rank        integer NOT NULL,
  world_size  integer NOT NULL,
  node        text NOT NULL REFERENCES nodes,
  cpu_milli   bigint NOT NULL CHECK (cpu_milli >= 0),
  memory_mib  bigint NOT NULL CHECK (memory_mib >= 0),
  epoch       bigint NOT NULL,
  claimed     boolean NOT NULL DEFAULT false,
  occupied    boolean NOT NULL DEFAULT false,
  state       text NOT NULL DEFAULT 'expected' CHECK (state IN
              ('expected', 'bound', 'started', 'leaving', 'ended', 'gone', 'refused')),
  outcome     text CHECK (outcome IN ('succeeded', 'failed', 'evicted', 'deleted', 'lost')),
  blame       text CHECK (blame IN ('workload', 'node', 'scheduler')),
  -- the driver refused it for good: elsewhere it may be tried again
  refusal     text CHECK (refusal IN ('elsewhere', 'never')),
  exit_code   integer,
  detail      text,
  log_tail    text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  started_at  timestamptz,
  ended_at    timestamptz,
  UNIQUE (workload, incarnation, pod_set, index)
);
CREATE INDEX pods_live ON pods (workload) WHERE claimed OR occupied;
CREATE INDEX pods_node ON pods (node) WHERE claimed OR occupied;
-- A pod gets its claim and its occupancy by an update, after its slots are written: one trigger counts everything.
CREATE FUNCTION refuse_claim_at_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'pod % must be inserted without claim and occupancy', NEW.name USING ERRCODE = 'BE005';
END $$;
CREATE TRIGGER pods_born_empty BEFORE INSERT ON pods FOR EACH ROW WHEN (NEW.claimed OR NEW.occupied)
  EXECUTE FUNCTION refuse_claim_at_birth();
CREATE TRIGGER pods_epoch BEFORE INSERT ON pods FOR EACH ROW EXECUTE FUNCTION refuse_stale_epoch();
CREATE TABLE pod_slots (
  pod   text NOT NULL REFERENCES pods,
  node  text NOT NULL,
  slot  integer NOT NULL,
  milli integer NOT NULL CHECK (milli BETWEEN 1 AND 1000),
  PRIMARY KEY (pod, slot),
  FOREIGN KEY (node, slot) REFERENCES slots
);
CREATE FUNCTION count_pod() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  claim integer := NEW.claimed::int - OLD.claimed::int;
  occupancy integer := NEW.occupied::int - OLD.occupied::int;
  n nodes%ROWTYPE;
BEGIN
  UPDATE nodes SET
    cpu_claimed = cpu_claimed + claim * NEW.cpu_milli,
    memory_claimed = memory_claimed + claim * NEW.memory_mib,
    pods_claimed = pods_claimed + claim,
    cpu_occupied = cpu_occupied + occupancy * NEW.cpu_milli,
    memory_occupied = memory_occupied + occupancy * NEW.memory_mib,
    pods_occupied = pods_occupied + occupancy
  WHERE name = NEW.node RETURNING * INTO n;
  IF claim > 0 AND (n.state <> 'healthy' OR n.unschedulable OR n.removed_at IS NOT NULL
    OR (n.spec ->> 'unschedulable')::boolean) THEN
    RAISE EXCEPTION 'node % takes no work', n.name USING ERRCODE = 'BE003', DETAIL = n.name;
  END IF;
  IF (claim > 0 AND (n.cpu_claimed > n.cpu_milli OR n.memory_claimed > n.memory_mib OR n.pods_claimed > n.pods_max))
  OR (occupancy > 0 AND (n.cpu_occupied > n.cpu_milli OR n.memory_occupied > n.memory_mib OR n.pods_occupied > n.pods_max))
  THEN
    RAISE EXCEPTION 'node % is over its capacity', n.name USING ERRCODE = 'BE002', DETAIL = n.name;
  END IF;
  UPDATE slots s SET
    claimed_milli = claimed_milli + claim * p.milli,
    occupied_milli = occupied_milli + occupancy * p.milli
  FROM pod_slots p WHERE p.pod = NEW.name AND s.node = p.node AND s.slot = p.slot;
  -- what is stopped, or gone, before it was created must not be created after that
  IF claim < 0 OR occupancy < 0 THEN
    UPDATE outbox SET state = 'dropped' WHERE pod = NEW.name AND kind = 'create-pod' AND state = 'pending';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER pods_count AFTER UPDATE OF claimed, occupied ON pods FOR EACH ROW
  WHEN (NEW.claimed IS DISTINCT FROM OLD.claimed OR NEW.occupied IS DISTINCT FROM OLD.occupied)
  EXECUTE FUNCTION count_pod();
-- What is still to be asked of the driver: written with the decision, done when the driver has answered.
CREATE TABLE outbox (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  epoch           bigint NOT NULL,
  set_id          bigint NOT NULL,
  kind            text NOT NULL CHECK (kind IN ('create-pod', 'delete-pod')),
  pod             text NOT NULL REFERENCES pods,
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'refused', 'dropped')),
  attempts        integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (pod, kind)
);
CREATE INDEX outbox_pending ON outbox (next_attempt_at) WHERE state = 'pending';
CREATE TRIGGER outbox_epoch BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse_stale_epoch();`;

const AUDIT = `
CREATE TABLE audit (
  chain          text NOT NULL,
  number         bigint NOT NULL,
  at             timestamptz NOT NULL,
  actor          text NOT NULL,
  action         text NOT NULL,
  subject        text NOT NULL,
  before         jsonb,
  after          jsonb,
  reason         text,
  request_id     text,
  policy_version text,
  previous_hash  bytea NOT NULL,
  hash           bytea NOT NULL,
  PRIMARY KEY (chain, number)
);
CREATE TABLE audit_heads (
  chain  text PRIMARY KEY,
  number bigint NOT NULL,
  hash   bytea NOT NULL
);
-- Hashed over the row's own text form, so that any later change of any field breaks the chain; before and after as
-- text, since an array of JSON would not tell a missing one from a JSON null.
CREATE FUNCTION audit_hash(r audit) RETURNS bytea LANGUAGE sql STABLE AS $$
  SELECT sha256(r.previous_hash || convert_to(jsonb_build_array(r.chain, r.number, extract(epoch FROM r.at), r.actor,
    r.action, r.subject, r.before::text, r.after::text, r.reason, r.request_id, r.policy_version)::text, 'UTF8'))
$$;
CREATE FUNCTION audit_append(chain text, actor text, action text, subject text, before jsonb, after jsonb, reason text,
  request_id text, policy_version text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  head audit_heads%ROWTYPE;
  entry audit%ROWTYPE;
BEGIN
  INSERT INTO audit_heads VALUES (chain, 0, sha256(convert_to(chain, 'UTF8'))) ON CONFLICT DO NOTHING;
  SELECT * INTO head FROM audit_heads h WHERE h.chain = audit_append.chain FOR UPDATE;
  entry := ROW(chain, head.number + 1, clock_timestamp(), actor, action, subject, before, after, reason, request_id,
    policy_version, head.hash, '\\x'::bytea);
  entry.hash := audit_hash(entry);
  INSERT INTO audit SELECT entry.*;
  UPDATE audit_heads h SET number = entry.number, hash = entry.hash WHERE h.chain = audit_append.chain;
END $$;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'BE004';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();`;

const ACCESS = `
-- Secrets are stored as their SHA-256 only.
CREATE TABLE tokens (
  id         uuid PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('access', 'session', 'code')),
  name       text NOT NULL,
  hash       bytea NOT NULL UNIQUE,
  role       text NOT NULL,
  team       text REFERENCES teams,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE TABLE idempotency_keys (
  actor        text NOT NULL,
  key          text NOT NULL,
  request_hash bytea NOT NULL,
  response     jsonb NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (actor, key)
);`;
