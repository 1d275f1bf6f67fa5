import { describe, expect, it } from '@jest/globals';
import { html, trusted } from './html.js';

describe(html.name, () => {
  it('escapes every text, in content and in attributes', () => {
    const hostile = `<script>alert("x")</script> & 'y'`;
    expect(html`<p title="${hostile}">${hostile}</p>`.markup).toBe(
      '<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;">' +
        '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;</p>',
    );
  });

  it('keeps markup of its own, alone and in lists, and writes numbers', () => {
    const items = ['a', '<'].map((text) => html`<li>${text}</li>`);
    expect(
      html`<ol>
        ${items}
      </ol>`.markup.replaceAll(/\s/g, ''),
    ).toBe('<ol><li>a</li><li>&lt;</li></ol>');
    expect(html`${7}${trusted('<svg/>')}`.markup).toBe('7<svg/>');
  });
});
