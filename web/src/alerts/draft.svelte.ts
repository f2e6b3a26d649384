// The draft of the form.

import { Draft } from "../kernel/draft.svelte";
import { emptyDraft } from "./draft";

export const draft = new Draft("alert", emptyDraft);
