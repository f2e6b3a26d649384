// The start of the client. Trusted Types come first: nothing runs before the policy is in place.

import "./kernel/trusted";
import "./style/base.css";
import { mount } from "svelte";
import App from "./frame/App.svelte";
import { settings } from "./kernel/settings.svelte";
import { speak } from "./text";

settings.apply();
await speak(settings.language);
mount(App, { target: document.getElementById("muster")! });
