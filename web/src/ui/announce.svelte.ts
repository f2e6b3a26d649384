// What is said to those who listen: one polite region for the whole page.

class Announcer {
  text = $state("");

  /** Says a sentence; it carries no labelled content, for it is heard in the room. */
  say(text: string): void {
    // The same sentence twice is two events.
    this.text = this.text === text ? `${text}\u00a0` : text;
  }
}

export const announcer = new Announcer();
