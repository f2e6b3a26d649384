/** Something that keeps a form from being sent. */
export interface Wrong {
  /** The id of the field; null for the form as a whole. */
  field: string | null;
  text: string;
}
