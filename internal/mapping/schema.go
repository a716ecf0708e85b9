package mapping

import (
	"encoding/json"
	"strconv"
	"strings"

	"sluice/internal/crm"
)

// object is a piece of JSON.
type object map[string]any

// Schema returns the JSON Schema (draft 2020-12) of mapping files, for editors
// to complete and check by. It is made of the tables that [ParseSpec] reads by.
//
// What the schema refuses ParseSpec refuses. ParseSpec also refuses what a
// schema cannot say: settings of a column that do not fit where it goes, a name
// that stands somewhere twice, and encodings that nobody knows.
func Schema() []byte {
	b, err := json.MarshalIndent(object{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "A mapping file of Sluice",
		"description":          "What the columns of a file mean, and what becomes of the records they make.",
		"type":                 []string{"object", "null"},
		"additionalProperties": false,
		"properties":           rootSchema(),
		"$defs": object{
			"target":  targetSchema(),
			"targets": targetsSchema(),
			"column":  columnSchema(),
			"field":   fieldSchema(),
			"text":    object{"type": []string{"string", "number", "boolean"}},
			"flag":    object{"anyOf": []object{{"type": "boolean"}, {"type": "string", "pattern": anyCase("true", "yes", "false", "no")}}},
			"headers": object{"anyOf": []object{
				about(named(), "The text of a column's header."),
				{"type": "array", "minItems": 1, "uniqueItems": true, "items": named()},
			}},
		},
	}, "", "  ")
	if err != nil {
		panic("mapping: the schema is no JSON: " + err.Error()) // a broken table
	}
	return append(b, '\n')
}

func about(schema object, text string) object {
	out := object{"description": text}
	for k, v := range schema {
		out[k] = v
	}
	return out
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func words[T ~string](list ...T) object { return object{"enum": list} }

// named is a text that is not blank: a header text, or the name of a sheet.
func named() object {
	return object{"type": []string{"string", "number", "boolean"}, "pattern": `\S`}
}

// anyCase returns a pattern for words in any case.
func anyCase(list ...string) string {
	for i, word := range list {
		var b strings.Builder
		for _, c := range word {
			b.WriteString("[" + strings.ToUpper(string(c)) + string(c) + "]")
		}
		list[i] = b.String()
	}
	return "^(" + strings.Join(list, "|") + ")$"
}

func rootSchema() object {
	entities := make([]string, len(crm.Entities))
	for i, e := range crm.Entities {
		entities[i] = e.Plural()
	}
	root := object{
		"version":    about(object{"enum": []any{1, "1"}}, "The version of the form of mapping files."),
		"mode":       about(words(crm.Upsert, crm.CreateOnly, crm.UpdateOnly), "Whether records may be created, changed or both. Without it, both."),
		"match":      about(words(crm.MatchID, crm.MatchEmail, crm.MatchDomain), "What customers are known by: their id in the source, their e-mail address, or the domain of their website. Without it the id, and where nothing fills that the address."),
		"unknown":    about(words(IgnoreUnknown, CustomUnknown, RefuseUnknown), "What becomes of columns that neither this file nor their name explains. Without it they are ignored."),
		"bad_cells":  about(badCellsSchema(), "What becomes of a cell that does not fit its field, where neither a row nor a customer stands on it. Without it its row is rejected."),
		"date_order": about(words(DMY, MDY, YMD), "How dates in digits are written. Without it each column is looked at whole."),
		"only": about(object{"anyOf": []object{
			words(entities...),
			{"type": "array", "minItems": 1, "uniqueItems": true, "items": words(entities...)},
		}}, "The records to import. Without customers, they are referred to and not created."),
		"footer": about(object{"anyOf": []object{
			{"type": "integer", "minimum": 0, "maximum": maxFooter}, {"type": "string", "pattern": `^[+-]?[0-9]+$`},
		}}, "How many rows at the end of the file are no rows, such as totals."),
		"columns": about(object{
			"type": "object", "propertyNames": object{"pattern": `\S`}, "additionalProperties": ref("column"),
		}, "Where each column goes, by the text of its header. Columns that are not listed are mapped by their names."),
		"fields": about(fieldsSchema(), "How fields are treated, whatever column fills them."),
	}
	for _, s := range readingSettings {
		root[s.name] = about(s.schema, s.about)
	}
	return root
}

func badCellsSchema() object { return words(RejectRow, BlankCell) }

// attributePattern is what the names of custom attributes look like.
const attributePattern = `^(customer|contact)\.custom\.[\p{L}\p{Nd}_]+$`

// targetSchema lists the fields that a column can go to.
func targetSchema() object {
	var list []object
	for _, name := range targetNames() {
		list = append(list, about(object{"const": name}, aboutField(name).takes))
	}
	return object{"anyOf": append(list, about(object{"type": "string", "pattern": attributePattern}, "A custom attribute."))}
}

func targetsSchema() object {
	return object{"anyOf": []object{
		about(object{"const": ignore}, "The column is left alone."),
		ref("target"),
		{"type": "array", "minItems": 1, "uniqueItems": true, "items": ref("target")},
	}}
}

func columnSchema() object {
	var types []object
	for _, t := range attributeTypes {
		types = append(types, about(object{"const": t}, typeAbouts[t]))
	}
	value := object{"type": []string{"string", "number", "boolean", "null"}}
	return object{"anyOf": []object{ref("targets"), {
		"type": "object", "additionalProperties": false, "required": []string{"to"},
		"properties": object{
			"to":         about(ref("targets"), "The field or fields that the column goes to, or ignore."),
			"type":       about(object{"anyOf": types}, "The type of a custom attribute; a text without it."),
			"required":   about(ref("flag"), "Whether a blank cell rejects its row."),
			"date_order": about(words(DMY, MDY, YMD), "How the column's dates are written."),
			"separator":  about(object{"type": []string{"string", "number", "boolean"}, "minLength": 1, "maxLength": maxSeparator}, "What divides a cell into tags. Without it a comma, a semicolon or a bar does."),
			"decimal":    about(words(".", ","), "What stands before the fraction of a number."),
			"bad_cells":  about(badCellsSchema(), "As above, for this column."),
			"values": about(object{"anyOf": []object{
				{"type": "object", "additionalProperties": value},
				{"type": "array", "items": named()},
			}}, "What replaces whole cells, without regard to case; a blank leaves the cell out. A list keeps what it names."),
		},
		"allOf": []object{
			{"if": has("type", Choice), "then": object{"required": []string{"values"}}},
			{"not": object{"allOf": []object{has("required", true), has("bad_cells", BlankCell)}}},
		},
	}}}
}

// has is true of an object whose key has a value.
func has(key string, value any) object {
	return object{"required": []string{key}, "properties": object{key: object{"const": value}}}
}

func together(keys ...string) object { return object{"not": object{"required": keys}} }

func fieldsSchema() object {
	fields := object{
		"customer.custom": about(ref("field"), "All custom attributes of the customer."),
		"contact.custom":  about(ref("field"), "All custom attributes of the contact."),
	}
	for _, name := range targetNames() {
		fields[name] = about(ref("field"), aboutField(name).takes)
	}
	return object{
		"type": "object", "additionalProperties": false, "properties": fields,
		"patternProperties": object{attributePattern: ref("field")},
	}
}

func fieldSchema() object {
	return object{
		"type": "object", "additionalProperties": false,
		"properties": object{
			"required":  about(ref("flag"), "Whether a blank rejects its row."),
			"collision": about(words(crm.Overwrite, crm.FillBlank, crm.Never), "What happens when the import and the record both have a value. Without it the import's wins."),
			"erase":     about(ref("flag"), "Whether a blank cell erases what the record has."),
			"default":   about(ref("text"), "What the field is where its cell is blank, or no column fills it."),
			"value":     about(named(), "What the field is in every row."),
			"first_of":  about(ref("headers"), "Columns, of which the first that is not blank fills the field."),
			"join":      about(ref("headers"), "Columns whose texts together fill the field."),
			"with":      about(object{"type": []string{"string", "number", "boolean"}, "minLength": 1}, "What stands between the texts of join; a space without it."),
		},
		"dependentRequired": object{"with": []string{"join"}},
		"allOf": []object{
			together("value", "first_of"), together("value", "join"), together("first_of", "join"), together("value", "default"),
			{"not": object{"allOf": []object{has("required", true), {"anyOf": []object{{"required": []string{"default"}}, {"required": []string{"value"}}}}}}},
			{"not": object{"allOf": []object{has("erase", true), {"anyOf": []object{
				{"required": []string{"default"}}, {"required": []string{"value"}}, has("collision", crm.FillBlank), has("collision", crm.Never)}}}}},
		},
	}
}

// lineNumber is a number from 1, in digits.
func lineNumber() object {
	return object{"anyOf": []object{
		{"type": "integer", "minimum": 1}, {"type": "string", "pattern": `^[+]?0*[1-9][0-9]*$`}, words(crm.NoneAtAll),
	}}
}

func printableSchema(most int, but string) object {
	return object{"type": []string{"string", "number", "boolean"}, "pattern": `^[!-~]{1,` + strconv.Itoa(most) + `}$`, "not": object{"type": "string", "pattern": but}}
}
