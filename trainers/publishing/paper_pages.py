"""The papers that have a page, each under what its tables' names begin with."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PaperPage:
    """The page of a paper.

    Attributes:
        key: Name of its module, its page and its recipe.
        system: What the site's navigation calls it.
        title: Its heading among the claims.
    """

    key: str
    system: str
    title: str

    @property
    def path(self) -> str:
        """Path of the page within the checkout.

        Example:
            >>> PAPERS["gan"].path
            'fer_tf/models/gan2020.md'
        """
        return f"fer_tf/models/{self.key}.md"


PAPERS = {
    "wang": PaperPage("wang2018", "2Att-2Mt", "Wang et al. 2018 (2Att-2Mt)"),
    "zhang": PaperPage("zhang2020", "MTANet", "Zhang and Gu 2020 (MTANet)"),
    "meen": PaperPage(
        "meen", "Meen et al.", "Meen et al. (facial features as attention)"
    ),
    "gan": PaperPage(
        "gan2020", "Gan et al.", "Gan et al. 2020 (multiple attention network)"
    ),
}
