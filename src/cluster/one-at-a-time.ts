/** What is under way, by name: whoever asks for the same meanwhile hears the answer of the first. */
export class OneAtATime<Answer> {
  private readonly underWay = new Map<string, Promise<Answer>>();

  get isIdle(): boolean {
    return this.underWay.size === 0;
  }

  has(name: string): boolean {
    return this.underWay.has(name);
  }

  async do(name: string, act: () => Promise<Answer>): Promise<Answer> {
    const present = this.underWay.get(name);
    if (present !== undefined) return present;
    const answer = act().finally(() => this.underWay.delete(name));
    this.underWay.set(name, answer);
    return answer;
  }

  /** Until it is over, whatever comes of it: whoever asked for it hears that. */
  async end(name: string): Promise<void> {
    await this.underWay.get(name)?.catch(() => undefined);
  }

  /** Until all are over. */
  async endAll(): Promise<void> {
    await Promise.allSettled(this.underWay.values());
  }
}
