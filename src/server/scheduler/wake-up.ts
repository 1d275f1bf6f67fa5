/** A sleeper that can be woken; a wake-up while awake makes the next sleep return at once, so none is lost. */
export class WakeUp {
  private pending = false;
  private resolve: (() => void) | undefined;

  wake(): void {
    this.pending = true;
    this.resolve?.();
  }

  /** Returns after `ms`, or as soon as somebody calls `wake`. */
  async sleep(ms: number): Promise<void> {
    if (!this.pending && ms > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.resolve = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.resolve = undefined;
    }
    this.pending = false;
  }
}
