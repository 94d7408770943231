"""The program that holds recorded surveys: one for each Asterisk, over an AMI connection of its own."""
