/** Why the demo can not go on, and the exit code that says so: 2 usage, 3 the other side is not there. */
export class Ending extends Error {
  readonly exit: number
  constructor(exit: number, message: string) {
    super(message)
    this.exit = exit
  }
}
