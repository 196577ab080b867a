import Model
import Testing

@testable import Templates

@Suite struct TemplateErrorTests {
    @Test func namesFileLineAndColumnOfAnUnknownField() {
        #expect(
            CompiledTemplate.problems("Hällo,\n  ü {{frist_name}}") == [
                "message.html:4:5: unknown field 'frist_name'; did you mean 'first_name'? the recipients have: id, address, "
                    + "first_name"
            ])
    }

    @Test func reportsAllProblemsAtOnceInTheirOrder() {
        let problems = CompiledTemplate.problems(
            "{{a}}\n{{>part}}{{#first_name}}{{/id}}\n{{}} {{=x=}}\n{{^b}}{{first_name")
        #expect(
            problems.map { String($0.split(separator: ";")[0]) } == [
                "message.html:3:1: unknown field 'a'",
                "message.html:4:1: '{{>part}}' is a partial, which is not supported",
                "message.html:4:10: the section 'first_name' that begins here has no end",
                "message.html:4:25: '{{/id}}' closes a section that is not open",
                "message.html:5:1: a tag without a name",
                "message.html:5:6: 'x' does not name two delimiters",
                "message.html:6:1: unknown field 'b'",
                "message.html:6:1: the section 'b' that begins here has no end",
                "message.html:6:7: the tag that begins here with '{{' has no end",
            ])
    }

    @Test(arguments: [
        ("{{firstname}}", "first_name"), ("{{First Name}}", "first_name"), ("{{adress}}", "address"), ("{{di}}", "id"),
        ("{{name}}", nil), ("{{city}}", nil),
    ]) func suggestsTheNearestField(_ template: String, _ field: String?) {
        let problem = CompiledTemplate.problems(template).joined()
        #expect(problem.contains("did you mean") == (field != nil))
        if let field { #expect(problem.contains("did you mean '\(field)'?")) }
    }

    @Test func findsMisspeltFieldsInsideOfPlainSections() {
        #expect(CompiledTemplate.problems("{{#first_name}}{{frist_name}}{{/first_name}}").count == 1)
        #expect(
            CompiledTemplate.problems("{{#list}}{{frist_name}}{{/list}}", fields: ["id", "list"], nested: ["list"])
                == [])
    }

    @Test(arguments: [
        "{{.}}", "{{^id}}{{.}}{{/id}}", "{{id.x}}", "{{.id}}", "{{id..x}}", "{{$id}}{{/id}}", "{{<id}}",
        "{{#id}}{{^id}}{{/id}}", "{{ ", "{{{id}}",
    ])
    func refuses(_ template: String) {
        #expect(!CompiledTemplate.problems(template).isEmpty)
    }

    @Test func manyProblemsAndDeepSectionsEnd() {
        #expect(CompiledTemplate.problems(String(repeating: "{{x}}{{}}", count: 20_000)).count == 200)
        let deep = String(repeating: "{{#id}}", count: 101) + String(repeating: "{{/id}}", count: 101)
        #expect(CompiledTemplate.problems(deep).count == 1)
    }

    @Test func anyTextIsRefusedOrRendered() throws {
        var generator = SeededGenerator(seed: 11)
        let pieces = [
            "{{", "}}", "{{{", "}}}", "#", "^", "/", "=", "!", ">", "&", ".", "id", "name", " ", "\n", "\r", "<% %>",
            "<%", "%>", "é", "x",
        ]
        var rendered = 0
        for _ in 0..<3000 {
            let source = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            do throws(TemplateError) {
                let template = try CompiledTemplate(
                    Mailing.Template(source: source), fields: ["id", "address", "name"], nested: ["name"],
                    escaping: .html)
                var out: [UInt8] = []
                template.render(recipients(["1", "a", #"[{"x":1}]"#]), row: 0, into: &out)
                rendered += 1
            } catch {
                #expect(!error.problems.isEmpty)
            }
        }
        #expect(rendered > 100)
    }
}
