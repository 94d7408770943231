"""Ways to ask a survey: on an operator's screen, by telephone keys, in a chat, on a page of one's own."""
