"""The page's colours and layout: text that can be read, and room on a telephone."""

# Gradio's own orange and greys have a contrast of 2 to 3 with white; WCAG asks 4.5.
COLORS = dict(
    color_accent="*primary_700",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_800",
    body_text_color_subdued="*neutral_600",
)
"""For `gradio.themes.Default().set`."""

CSS = """
.dark { --color-accent: var(--primary-400); }
/* Titles and buttons of pictures stand above them, not on them. */
label[data-testid="block-label"] { position: static; width: fit-content; }
.made .image-container { position: static; }
.cards { display: grid; gap: 1rem;
         grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); }
.cards figure { max-width: 11rem; margin: 0; }
.cards img { width: 100%; margin: 0; border-radius: 4px; }
.cards figcaption { font-weight: bold; margin: 0.25rem 0; }
.cards ul { list-style: none; margin: 0; padding: 0; }
.cards li { display: grid; grid-template-columns: 1fr auto; margin: 0; }
.cards li, .cards p { font-size: 0.85rem; line-height: 1.3; }
.cards i { grid-column: 1 / -1; height: 4px; border-radius: 2px; }
.cards p { margin: 0.5rem 0 0; overflow-wrap: anywhere; }
"""
