package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/angel-nft/google-shuffle/internal/completion"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`

	model *kong.Application
}

// AfterApply is called by kong when the command line has been parsed.
func (c *completionCmd) AfterApply(k *kong.Kong) error {
	c.model = k.Model
	return nil
}

func (c *completionCmd) run(_ context.Context, a *app) error {
	return completion.Write(a.stdout, c.Shell, c.model)
}
