import about from '../package.json' with { type: 'json' }

/** Name and version of this software, as the setup and `--version` state them. */
export const product = { name: about.name, version: about.version } as const
