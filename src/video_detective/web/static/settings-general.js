// The page's own looks, the account's clock and language, one's password.
import { get, send } from "./api.js";
import { button, element, english, text } from "./dom.js";
import { field, form, userName } from "./settings-forms.js";
import { card, facts } from "./settings-parts.js";
import { toast } from "./shell.js";

const words = text.settings_general;

function choices(label, options) {
  const group = element("div", { className: "choices" }, options.map(([words, isChosen, act]) => {
    const node = button(words, () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === node));
      act();
    });
    node.setAttribute("aria-pressed", String(isChosen));
    return node;
  }));
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  return element("div", { className: "choice" }, [element("h3", {}, [label]), group]);
}

function looks() {
  const theme = document.documentElement.dataset.theme ?? "";
  const chooseLanguage = (code) => {
    const query = new URLSearchParams(location.search);
    query.set("lang", code);
    location.search = query;
  };
  return card(words.browser, [
    choices(text.language, [["中文", !english, () => chooseLanguage("zh-TW")], ["English", english, () => chooseLanguage("en")]]),
    // The shell's own buttons do it and remember it; they have the words too.
    choices(text.theme, [...document.querySelectorAll("[data-choose-theme]")].map((own) => [
      own.textContent, own.dataset.chooseTheme === theme, () => own.click(),
    ])),
  ], { hint: words.browser_hint });
}

function account(found, isAdmin) {
  const languages = Object.entries(words.languages);
  if (!isAdmin) {
    return card(words.account, [facts([
      [words.name, found.name], [words.timezone, found.timezone], [words.words_language, words.languages[found.language]],
    ])]);
  }
  const zones = Intl.supportedValuesOf("timeZone");
  const timezone = field({
    name: "timezone", label: words.timezone, kind: "select", value: found.timezone, hint: words.timezone_hint,
    options: [...new Set([found.timezone, ...zones])].sort().map((zone) => [zone, zone]),
  });
  const language = field({
    name: "language", label: words.words_language, kind: "select", value: found.language, hint: words.language_hint, options: languages,
  });
  return card(words.account, [
    facts([[words.name, found.name]]),
    form([timezone, language], {
      label: words.save,
      act: async (values) => {
        await send("PATCH", `/api/v1/accounts/${found.id}`, values);
        toast(words.saved);
      },
    }),
  ]);
}

function password(caller) {
  const secret = { kind: "password", isRequired: true };
  const present = field({ name: "present", label: words.present, autocomplete: "current-password", ...secret });
  const next = field({ name: "password", label: words.next, autocomplete: "new-password", minLength: 10, hint: words.next_hint, ...secret });
  const again = field({ name: "again", label: words.again, autocomplete: "new-password", ...secret });
  const node = form([present, next, again], {
    label: words.change_password, before: [userName(caller.name)],
    act: async (values) => {
      if (values.password !== values.again) {
        again.tell(words.not_the_same);
        return again.inputs[0].focus();
      }
      await send("POST", "/api/v1/session/password", { present: values.present, password: values.password });
      node.reset();
      toast(words.password_changed);
    },
  });
  return card(words.password, [node], { hint: words.password_hint });
}

export async function show(root, { caller, isAdmin }) {
  const { data } = await get(`/api/v1/accounts/${caller.accountId}`);
  root.append(looks(), account(data, isAdmin), ...(caller.kind === "user" ? [password(caller)] : []));
}
