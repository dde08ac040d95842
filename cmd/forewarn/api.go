package main

import (
	"forewarn/internal/web"
)

type apiCmd struct {
	Describe apiDescribe `cmd:"" help:"Print the description of the API, OpenAPI 3.1."`
}

type apiDescribe struct{}

func (*apiDescribe) Help() string {
	return `What a served desk answers at /api/v1/openapi.json: every operation, what it is asked with and what it answers.

Example:
  forewarn api describe >openapi.json`
}

func (c *apiDescribe) Run(a *app) error {
	b, err := web.Describe()
	if err == nil {
		_, err = a.out.Write(b)
	}
	return err
}
