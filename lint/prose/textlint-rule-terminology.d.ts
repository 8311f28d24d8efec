declare module 'textlint-rule-terminology' {
  const terminology: import('@textlint/kernel').TextlintRuleModule;
  export = terminology;
}
