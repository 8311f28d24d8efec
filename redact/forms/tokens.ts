/**
 * Tokens with a known form. Each begins with a literal, and only its end has a variable length (a
 * JWT's parts exclude each other), so that no search starts over.
 */
export const TOKENS: readonly string[] = [
  'AKIA[A-Z0-9]{16}', // AWS
  'ASIA[A-Z0-9]{16}',
  'AIza[\\w-]{30,}', // Google
  'ya29\\.[\\w.-]{16,}',
  'GOCSPX-[\\w-]{16,}',
  ...[...'oprsu'].map((kind) => `gh${kind}_\\w{16,}`), // GitHub
  'github_pat_\\w{16,}',
  'glpat-[\\w.-]{16,}', // GitLab
  'glrt-[\\w.-]{16,}',
  'gldt-[\\w.-]{16,}',
  'glptt-[\\w.-]{16,}',
  'glcbt-[\\w.-]{16,}',
  ...[...'abceoprs'].map((kind) => `xox${kind}-[\\w.%-]{10,}`), // Slack
  'xapp-[\\w-]{16,}',
  'npm_[A-Za-z0-9]{30,}',
  'pypi-[\\w-]{30,}',
  'rubygems_[a-f0-9]{40,}',
  'dckr_pat_[\\w-]{16,}',
  'hvs\\.[\\w-]{16,}', // Vault
  'hvb\\.[\\w-]{16,}',
  'sk_live_\\w{16,}', // Stripe
  'sk_test_\\w{16,}',
  'rk_live_\\w{16,}',
  'rk_test_\\w{16,}',
  'whsec_[\\w+/=]{16,}',
  'sk-ant-[\\w-]{16,}', // Anthropic
  'sk-proj-[\\w-]{16,}', // OpenAI
  'sk-svcacct-[\\w-]{16,}',
  'hf_[A-Za-z0-9]{30,}', // Hugging Face
  'gsk_[A-Za-z0-9]{40,}', // Groq
  'r8_[A-Za-z0-9]{30,}', // Replicate
  'dop_v1_[a-f0-9]{32,}', // DigitalOcean
  'doo_v1_[a-f0-9]{32,}',
  'SG\\.[\\w.-]{32,}', // SendGrid
  'AGE-SECRET-KEY-1[A-Z0-9]{16,}',
  'shpat_[a-fA-F0-9]{32,}', // Shopify
  'shpss_[a-fA-F0-9]{32,}',
  'PMAK-[a-f0-9-]{40,}', // Postman
  'lin_api_[A-Za-z0-9]{30,}', // Linear
  'ntn_[A-Za-z0-9]{40,}', // Notion
  'figd_[\\w-]{30,}', // Figma
  'dapi[a-f0-9]{32,}', // Databricks
  'glsa_[A-Za-z0-9]{32}_[a-f0-9]{8,}', // Grafana
  'glc_[\\w+/=]{32,}',
  'pul-[a-f0-9]{40,}', // Pulumi
  'sbp_[a-f0-9]{40,}', // Supabase
  'dp\\.pt\\.[A-Za-z0-9]{30,}', // Doppler
  'dp\\.st\\.[\\w.-]{40,}',
  'sntrys_[\\w+/=-]{20,}', // Sentry
  'sntryu_[a-f0-9]{40,}',
  'ATATT3[\\w=-]{20,}', // Atlassian
  'ATCTT3[\\w=-]{20,}',
  'NRAK-[A-Z0-9]{20,}', // New Relic
  'fio-u-[\\w=-]{30,}', // Frame.io
  'EAACEdEose0cBA[A-Za-z0-9]{10,}', // Facebook
  'SWMTKN-1-[a-z0-9-]{40,}', // Docker Swarm
];

/** Forms that need more than a pattern: by keyword; group 1 is not redacted. */
export const FORMS: Readonly<Record<string, RegExp>> = {
  eyj: /(?<![\w-])eyJ[\w-]{8,}\.[\w.-]{2,}/y,
  'sk-': /(?<![\w-])sk-[A-Za-z0-9]{40,}/y, // OpenAI, before keys had kinds
  'tskey-': /tskey-[a-z]{3,}-[\w-]{16,}/y, // Tailscale
  'bearer ': /(bearer[ \t]+)[\w.~+/-]{16,}=*/iy,
  '.atlasv1.': /(\.atlasv1\.)[\w-]{30,}/y, // Terraform Cloud
  '-----begin ':
    /(-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----)[\s\S]*?(?=-----END [A-Z ]{0,32}PRIVATE|$)/y,
  '"auth': /("auth(?:\\\\)*"\s*:\s*(?:\\\\)*")[\w+/=-]{8,}/y, // a registry's credentials in docker's configuration
  'account.key.': /(account\.key\.[\w.-]{1,128}=)[\w+/=]{8,}/y, // a key of Azure in Hadoop's configuration
  'sonar.login=': /(sonar\.login=)[^\s"']+/y,
  'jdbc:oracle:': /(jdbc:oracle:\w{1,16}:[\w.$-]{1,64}\/)[^@\s"']{1,128}(?=@)/y,
  ',p=': /(?<=\b[hDuPS]=[\w.-]{0,64})(,p=)[^,\s"']+/y, // Percona's toolkit
  'userid=': /(userid=[\w.$-]{1,64}\/)[^@\s"']+/iy,
  // Webhooks
  'hooks.slack.com/': /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/]{16,}/y,
  'api/webhooks/': /(api\/webhooks\/\d{5,}\/)[\w-]{16,}/y, // Discord
  'discord://': /(discord:\/\/\d{5,}\/)[\w-]{8,}/y,
  'webhook.office.com/': /(webhook\.office\.com\/webhookb2\/)[\w@/-]{16,}/y, // Teams
  'outlook.office.com/': /(outlook\.office\.com\/webhook\/)[\w@/-]{16,}/y,
  'api.telegram.org/': /(api\.telegram\.org\/(?:file\/)?bot)\d{5,}:[\w-]{16,}/y,
  'hooks.zapier.com/': /(hooks\.zapier\.com\/hooks\/catch\/)[\w/]{8,}(?=\/|$|[\s"'])/y,
  'maker.ifttt.com/': /(maker\.ifttt\.com\/trigger\/[\w-]{1,64}\/(?:json\/)?with\/key\/)[\w-]{8,}/y,
  'hc-ping.com/': /(hc-ping\.com\/)[\w-]{16,}/y, // Healthchecks
  '/bot/v2/hook/': /(\/bot\/v2\/hook\/)[\w-]{16,}/y, // Feishu, Lark
  '/hooks/': /(\/hooks\/)[a-z\d]{20,}/y, // Mattermost, Rocket.Chat
};
