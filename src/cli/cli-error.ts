/** A wrong command line or configuration. The message says what to change. */
export class CliError extends Error {
  readonly code: 'USAGE' | 'CONFIG_UNREADABLE' | 'CONFIG_UNSAFE' | 'CONFIG_SYNTAX' | 'CONFIG_INVALID';

  constructor(code: CliError['code'], message: string) {
    super(message);
    this.name = 'CliError';
    this.code = code;
  }
}
