"""What messages say: wordings and their check, links, templates, images."""
