package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

const about = "Sluice brings leads, customers and contacts into the CRM, and accounts for every row."

// examples lead the help of each command.
var examples = map[string][]string{
	"": {
		"starter import leads.csv --source newsletter",
		"starter import leads.csv --source newsletter --dry-run",
		"starter imports rejects newsletter -o xlsx --to fix.xlsx",
		"starter imports retry newsletter --file fix.xlsx",
	},
	"import": {
		"starter import leads.csv --source newsletter",
		"starter import 2019.csv 2020.csv --source webinars --mapping webinars.yaml",
		"starter import leads.csv --source newsletter --dry-run",
		"starter import export.txt --source newsletter --encoding shift_jis --delimiter tab --date-order dmy",
		"curl -s https://example.com/leads.csv | starter import - --source newsletter -o json",
	},
	"progress":       {"starter progress newsletter", "starter progress newsletter -o json"},
	"imports list":   {"starter imports list", "starter imports list --source newsletter -o json"},
	"imports show":   {"starter imports show 12", "starter imports show newsletter"},
	"imports watch":  {"starter imports watch newsletter", "starter imports watch 12"},
	"imports pause":  {"starter imports pause newsletter"},
	"imports resume": {"starter imports resume newsletter"},
	"imports skip":   {"starter imports skip newsletter"},
	"imports cancel": {"starter imports cancel 12"},
	"imports rejects": {
		"starter imports rejects 12 -o xlsx --to fix.xlsx",
		"starter imports rejects newsletter --groups",
		"starter imports rejects newsletter -o json",
	},
	"imports accepted":    {"starter imports accepted 12 --to accepted.csv"},
	"imports unprocessed": {"starter imports unprocessed 12 --to rest.csv"},
	"imports warnings":    {"starter imports warnings newsletter -o xlsx --to warnings.xlsx"},
	"imports retry": {
		"starter imports retry 12 --file fix.xlsx",
		"starter imports retry newsletter --date-order dmy",
		"starter imports retry 12 --file fix.xlsx --dry-run",
	},
	"imports undo":   {"starter imports undo 12 --dry-run", "starter imports undo newsletter"},
	"imports undone": {"starter imports undone 12 --kept", "starter imports undone 12 --to undone.xlsx"},
	"sources add": {
		"starter sources add stripe --name billing",
		"SLUICE_SOURCE_API_KEY=… starter sources add stripe --name billing --set share=80",
		"starter sources add file --name newsletter --title \"Newsletter sign-ups\" --time-zone Europe/Zurich --region CH",
	},
	"sources kinds": {"starter sources kinds", "starter sources kinds stripe"},
	"sources set":   {"starter sources set billing --set share=80", "starter sources set billing --secret-file api_key=key.txt"},
	"sources check": {"starter sources check billing"},
	"sources remove": {
		"starter sources remove newsletter --dry-run",
		"starter sources remove newsletter",
		"starter sources remove newsletter --yes -o json",
	},
	"sync": {"starter sync billing", "starter sync billing --full"},
	"backfill start": {
		"starter backfill billing --from 2015-01-01 --to 2024-12-31",
		"starter backfill webinars 'exports/*.csv' --mapping webinars.yaml",
		"starter backfill --plan history.yaml --at-once 8",
	},
	"backfill list":   {"starter backfill list"},
	"backfill show":   {"starter backfill show", "starter backfill show --source billing -o json"},
	"backfill watch":  {"starter backfill watch"},
	"backfill pause":  {"starter backfill pause"},
	"backfill resume": {"starter backfill resume"},
	"backfill cancel": {"starter backfill cancel"},
	"backfill retry":  {"starter backfill retry", "starter backfill retry --source billing"},
	"backfill skip":   {"starter backfill skip --source billing"},
	"backfill add":    {"starter backfill add billing --from 2015-01-01"},
	"backfill drop":   {"starter backfill drop --source billing"},
	"schedule create": {
		"starter schedule create billing --every 15m",
		"starter schedule create billing --cron '0 3 * * *' --zone Europe/Zurich --jitter 10m --full-every 168h",
	},
	"schedule apply":   {"starter schedule apply -f schedules.yaml"},
	"schedule list":    {"starter schedule list"},
	"schedule show":    {"starter schedule show billing"},
	"schedule pause":   {"starter schedule pause billing --note 'until the audit is over'"},
	"schedule resume":  {"starter schedule resume billing"},
	"schedule trigger": {"starter schedule trigger billing"},
	"schedule delete":  {"starter schedule delete billing"},
	"schedule run":     {"starter schedule run"},
	"demo saas":        {"starter demo saas --customers 5000 --changes 2s"},
	"keys new":         {"starter keys new > sluice.key"},
	"sources list":     {"starter sources list"},
	"sources show":     {"starter sources show newsletter"},
	"customers show":   {"starter customers show ana@example.com", "starter customers show cus_0042"},
	"contacts show":    {"starter contacts show ana@example.com"},
	"mapping suggest":  {"starter mapping suggest leads.xlsx --sheet 2024 > leads.yaml"},
	"mapping check":    {"starter mapping check leads.yaml", "starter mapping check leads.yaml leads.xlsx"},
	"mapping schema":   {"starter mapping schema > mapping.schema.json"},
	"mapping template": {"starter mapping template combined --to leads.xlsx", "starter mapping template customers"},
	"export":           {"starter export customers --source newsletter > customers.csv", "starter export contacts --source newsletter --stable -o json"},
	"sweep":            {"starter sweep --dry-run", "starter sweep"},
	"doctor":           {"starter doctor"},
	"config":           {"starter config", "starter config -o json"},
}

func newParser(c *commands, s streams, exit func(int)) (*kong.Kong, error) {
	return kong.New(c, kong.Name("starter"), kong.Description(about), kong.Writers(s.out, s.err), kong.Exit(exit),
		kong.NamedMapper("rows", kong.MapperFunc(rowCount)),
		kong.Help(help), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "installation", Title: "Installation (for every command; nothing needs to be set):"},
			{Key: "reading", Title: "How the file is written (default: what the mapping says, else what the file shows):"},
			{Key: "tuning", Title: "Speed (never changes the result):"},
		}))
}

// help prints the examples of a command before what kong knows of it.
func help(o kong.HelpOptions, ctx *kong.Context) error {
	path := ""
	if node := ctx.Selected(); node != nil {
		path = strings.TrimPrefix(node.FullPath(), "starter ")
	}
	if lines := examples[path]; len(lines) > 0 {
		fmt.Fprintf(ctx.Stdout, "Examples:\n  %s\n\n", strings.Join(lines, "\n  "))
	}
	if err := kong.DefaultHelpPrinter(o, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, exitHelp)
	return err
}

const exitHelp = `
Exit codes:
  0 done   1 failed   2 usage   3 done, with rejected rows
  4 cannot connect or not allowed   130 interrupted
`
