import { html, nothing, type TemplateResult } from 'lit';
import type { Param } from '../../contract/answers.ts';

export type Values = Record<string, string | number | boolean>;

/** Whether an action cannot start without asking. */
export const mustAsk = (params: readonly Param[]): boolean =>
  params.some((p) => p.required && p.default === undefined);

/**
 * The fields of a form for an action's parameters. What the browser can check
 * it checks; the server has the last word, its complaints stand at the fields.
 */
export function fields(params: readonly Param[], complaints: ReadonlyMap<string, string>): TemplateResult[] {
  return params.map((p) => {
    const complaint = complaints.get(p.name) ?? complaints.get(`params.${p.name}`);
    const described = [p.description && `${p.name}-about`, complaint && `${p.name}-fault`]
      .filter(Boolean)
      .join(' ');
    const about = html`${p.description ? html`<span class="about" id="${p.name}-about">${p.description}</span>` : nothing}${
      complaint ? html`<span class="fault" id="${p.name}-fault">${complaint}</span>` : nothing
    }`;
    const label = p.title || p.name;
    if (p.type === 'boolean') {
      return html`<div class="field check"><input id=${p.name} name=${p.name} type="checkbox" .checked=${p.default === true} aria-describedby=${described || nothing} aria-invalid=${complaint ? 'true' : nothing} /><label for=${p.name}>${label}</label>${about}</div>`;
    }
    return html`<div class="field"><label for=${p.name}>${label}${p.required || p.default !== undefined ? nothing : html` <span class="about">optional</span>`}</label>${input(p, described, complaint)}${about}</div>`;
  });
}

function input(p: Param, described: string, complaint: string | undefined): TemplateResult {
  const invalid = complaint ? 'true' : nothing;
  if (p.type === 'select') {
    return html`<select id=${p.name} name=${p.name} ?required=${p.required} aria-describedby=${described || nothing} aria-invalid=${invalid}>${
      p.required || p.default !== undefined ? nothing : html`<option value="">–</option>`
    }${(p.options ?? []).map((o) => html`<option value=${o} ?selected=${o === p.default}>${o}</option>`)}</select>`;
  }
  if (p.type === 'number') {
    return html`<input id=${p.name} name=${p.name} type="number" .value=${p.default === undefined ? '' : String(p.default)} ?required=${p.required}
      min=${p.min ?? nothing} max=${p.max ?? nothing} step=${p.integer ? 1 : 'any'} aria-describedby=${described || nothing} aria-invalid=${invalid} />`;
  }
  const secret = p.type === 'secret';
  return html`<input id=${p.name} name=${p.name} type=${secret ? 'password' : 'text'} autocomplete=${secret ? 'new-password' : 'off'} spellcheck="false"
    .value=${typeof p.default === 'string' ? p.default : ''} ?required=${p.required} minlength=${p.min ?? nothing} maxlength=${p.max ?? nothing}
    aria-describedby=${described || nothing} aria-invalid=${invalid} />`;
}

/** Reads the form: only what was filled in, each in the type of its parameter. */
export function read(form: HTMLFormElement, params: readonly Param[]): Values {
  const values: Values = {};
  for (const p of params) {
    const field = form.elements.namedItem(p.name);
    if (field instanceof HTMLInputElement && p.type === 'boolean') values[p.name] = field.checked;
    else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
      if (field.value === '') continue;
      values[p.name] = p.type === 'number' ? Number(field.value) : field.value;
    }
  }
  return values;
}
