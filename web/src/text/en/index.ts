// The words of the screen in English: one file a part. Every language has the same files and shapes.

import { agencies } from "./agencies";
import { agreements } from "./agreements";
import { alerts } from "./alerts";
import { circles } from "./circles";
import { declarations } from "./declarations";
import { entities } from "./entities";
import { erasures } from "./erasures";
import { feed } from "./feed";
import { frame } from "./frame";
import { graph } from "./graph";
import { identity } from "./identity";
import { inquiries } from "./inquiries";
import { labels } from "./labels";
import { ledger } from "./ledger";
import { map } from "./map";
import { operations } from "./operations";
import { people } from "./people";
import { plans } from "./plans";
import { reports } from "./reports";
import { roster } from "./roster";
import { search } from "./search";
import { sharing } from "./sharing";
import { spillages } from "./spillages";
import { webhooks } from "./webhooks";
import { why } from "./why";

export const en = {
  ...frame,
  ...search,
  ...identity,
  ...alerts,
  ...circles,
  ...spillages,
  ...webhooks,
  ...erasures,
  ...agreements,
  ...people,
  ...why,
  ...reports,
  ...declarations,
  ...plans,
  ...roster,
  ...operations,
  ...agencies,
  ...entities,
  ...graph,
  ...feed,
  ...inquiries,
  ...labels,
  ...sharing,
  ...ledger,
  ...map,
};

export type Catalogue = typeof en;
