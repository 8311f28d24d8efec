/** The place of a server: its folder and the ports of its listeners. */
export interface Place {
  readonly folder: string;
  /** the port of HTTP */
  readonly http: number;
  /** the port of ClickHouse's own protocol */
  readonly native: number;
}

/** The name of the cluster that a server's configuration has, with one shard for each server. */
export const CLUSTER = 'fleet';

/** Returns the configuration of a server of a cluster, as XML. */
export function serverConfig({ folder, http, native }: Place, cluster: readonly Place[]): string {
  const shards = cluster.map(
    (place) =>
      `<shard><replica><host>127.0.0.1</host><port>${place.native}</port></replica></shard>`,
  );
  return `<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${http}</http_port>
  <tcp_port>${native}</tcp_port>
  <path>${folder}/data</path>
  <user_directories>
    <users_xml><path>${folder}/users.xml</path></users_xml>
  </user_directories>
  <remote_servers><${CLUSTER}>${shards.join('')}</${CLUSTER}></remote_servers>
</clickhouse>
`;
}

/** The password of the users `maker` and `reader`. */
export const PASSWORD = 'open sesame';

/** Users whose answers are cut without an error. */
export const CUT = [
  {
    name: 'cut_result',
    settings:
      '<readonly>1</readonly><max_result_rows>1</max_result_rows><result_overflow_mode>break</result_overflow_mode>',
  },
  {
    name: 'cut_leaf',
    settings:
      '<max_rows_to_read_leaf>1</max_rows_to_read_leaf><read_overflow_mode_leaf>break</read_overflow_mode_leaf>',
  },
  { name: 'cut_limit', settings: '<readonly>1</readonly><limit>3</limit>' },
  { name: 'cut_offset', settings: '<offset>3</offset>' },
  {
    name: 'cut_filter',
    settings:
      "<additional_table_filters>{'vcml.journal_local': 'false'}</additional_table_filters>",
  },
] as const;

/** A user that a test adds. */
export interface AddedUser {
  readonly name: string;
  readonly password: string;
  /** the setting of this name */
  readonly readonly: string;
  /** what stands between GRANT and TO in SQL */
  readonly grants: readonly string[];
}

/**
 * Returns the configuration of users: that of the server's own session, who may do everything; one who
 * may make a store, one who may only read it, one whose queries must end within a second, and those
 * whose answers are cut; and those that a test adds. This engine keeps none that are created in SQL.
 */
export function usersConfig(added: readonly AddedUser[] = []): string {
  const profiles = added.map((one) =>
    element(`${one.name}_profile`, element('readonly', one.readonly)),
  );
  const users = added.map(({ name, password, grants }) =>
    element(name, user(password, `${name}_profile`, ...grants)),
  );
  return `<clickhouse>
  <profiles><default/><reader><readonly>1</readonly></reader>
    <hasty><max_execution_time>1</max_execution_time>
      <constraints><max_execution_time><const/></max_execution_time></constraints></hasty>
    ${CUT.map((one) => element(one.name, one.settings)).join('')}${profiles.join('')}</profiles>
  <quotas><default/></quotas>
  <users>
    <default>${user('', 'default')}<access_management>1</access_management></default>
    <maker>${user(PASSWORD, 'default', 'ALL ON vcml.*', 'TABLE ENGINE ON *', 'SELECT ON system.*')}</maker>
    <reader>${user(PASSWORD, 'reader', 'SELECT ON vcml.*')}</reader>
    <hasty>${user('', 'hasty', 'SELECT ON vcml.*')}</hasty>
    ${CUT.map(({ name }) => element(name, user('', name, 'SELECT ON vcml.*'))).join('')}
    ${users.join('\n    ')}
  </users>
</clickhouse>
`;
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

function user(password: string, profile: string, ...grants: readonly string[]): string {
  const granted = grants.map((grant) => `<query>GRANT ${grant}</query>`).join('');
  return `<password>${password}</password><networks><ip>127.0.0.1</ip></networks>
    <profile>${profile}</profile><quota>default</quota>
    ${granted === '' ? '' : `<grants>${granted}</grants>`}`;
}
