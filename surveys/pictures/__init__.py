"""Pictures that a form names: uploaded beside it, kept with its versions, shown where somebody sees a question."""
