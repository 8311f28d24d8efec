/** How a chain entered the place where it is, from what the guest did. */
export interface Entry {
  readonly kind: 'start' | 'exec' | 'session';
  /** undefined: it entered a container */
  readonly unit: string | undefined;
  /** undefined: it entered a unit */
  readonly runtime: string | undefined;
  /** The attributes `vcml.authority.*`, by the rest of their keys. */
  readonly authority: Readonly<Record<string, unknown>>;
  /** The nearest unit among its causes, or the command of the process before the hook that is its cause. */
  readonly from: string | undefined;
}

/** What the guest does in one way (files/usr/local/bin/play). */
interface Row {
  readonly count: number;
  /** Returns the nearest entry of a chain; undefined: it has none. */
  entry(number: string, session: string): Entry | undefined;
}

const USER = '1000';
/** Where the sessions with sshd come from. */
const REMOTE = { remote: '127.0.0.1', claimed: true };

const PLAY = row(5, () => startOf('play.service'));
const IN_SSH = (count: number) => row(count, (_, session) => login(session, 'ssh.service', REMOTE));

/** By the word in `case:WORD:NUMBER:SESSION`, the argument of what is executed at last. */
export const ROWS: Readonly<Record<string, Row>> = {
  here: PLAY,
  service: row(80, (n) => startOf(`service@${n}.service`)),
  timer: row(20, (n) => startOf(`timer@${n}.service`)),
  run: row(20, (n) => startOf(`run-${n}.service`)),
  scope: row(20, (n) => startOf(`scope-${n}.scope`, 'play.service')),
  run0: row(2, (n, session) => sessionOf(session, `run0-${n}.service`)),
  // ExecStartPre=, and then sshd itself.
  'sshd-test': row(1, () => startOf('ssh.service')),
  sshd: row(1, () => ({ ...startOf('ssh.service'), kind: 'exec' })),
  ssh: IN_SSH(20),
  shell: IN_SSH(16),
  nested: IN_SSH(16),
  env: IN_SSH(8),
  setsid: IN_SSH(8),
  'session-sudo': IN_SSH(8),
  'session-sudo-i': IN_SSH(4),
  'session-su': IN_SSH(4),
  'session-su-login': IN_SSH(4),
  tmux: IN_SSH(3),
  'user-run': row(4, () => startOf(`user@${USER}.service`)),
  'user-service': row(12, () => startOf(`user@${USER}.service`)),
  'user-scope': row(4, (_, session) => ({
    ...startOf(`user@${USER}.service`, `session-${session}.scope`),
    kind: 'exec',
  })),
  console: row(5, (_, session) => login(session, 'getty@tty1.service')),
  // pam_loginuid is not used.
  'su-login': row(5, (_, session) => sessionOf(session, 'play.service')),
  su: row(5, (_, session) => sessionOf(session, 'play.service')),
  runuser: PLAY,
  sudo: PLAY,
  cron: row(10, () => startOf('cron.service')),
  // root's jobs, for which its PAM configuration has pam_systemd.
  'cron-session': row(5, (_, session) => login(session, 'cron.service', {}, '0')),
  machinectl: row(1, (_, session) => login(session, 'container-shell@0.service')),
  nspawn: row(1, () => startOf('machine-box.scope', 'play.service')),
  // A machine is one place, whatever is done in it.
  'machine-shell': row(1, () => startOf('machine-full.scope', 'full.service')),
  'machine-run': row(1, () => startOf('machine-full.scope', 'full.service')),
  'podman-run': row(2, () => container('start', 'podman', 'play.service')),
  'podman-exec': row(2, () => container('exec', 'podman', 'play.service')),
  // The client asks dockerd, and that asks containerd. The container is started twice.
  'docker-run': row(4, () => container('start', 'docker', 'containerd.service')),
  'docker-exec': row(4, () => container('exec', 'docker', 'containerd.service')),
  nsenter: row(2, () => startOf('play.service')),
  // What started it is from before the hook.
  old: row(5, () => undefined),
};

function row(count: number, entry: Row['entry']): Row {
  return { count, entry };
}

function startOf(unit: string, from = 'systemd'): Entry {
  return { kind: 'start', unit, runtime: undefined, authority: { type: 'unit', id: unit }, from };
}

function sessionOf(session: string, from: string): Entry {
  return { ...startOf(`session-${session}.scope`, from), kind: 'session' };
}

function login(session: string, from: string, more: object = {}, id = USER): Entry {
  return { ...sessionOf(session, from), authority: { type: 'login', id, ...more } };
}

function container(kind: 'start' | 'exec', runtime: string, from: string): Entry {
  return { kind, unit: undefined, runtime, authority: {}, from };
}
