import CommandSupport
import Foundation
import TestServers
import Testing

/// Manual pages and completion, as deploy/install makes them.
@Suite struct ManualTests {
    @Test(arguments: [(Program.flotilla, "send", "--quiet"), (.laboratory, "sink", "--record")])
    func everyCommandHasAPage(_ program: Program, _ command: String, _ option: String) async throws {
        let dump = try await Program.run(["--experimental-dump-help"], of: program)
        let pages = try ManualPage.pages(of: Data(dump.output.utf8), version: "1.0")
        let page = try #require(pages["\(program.rawValue)-\(command).1"])
        #expect(page.contains("\\fB\(option.replacing("-", with: "\\-"))\\fR"))
        #expect(pages["\(program.rawValue).1"]?.contains(".SH COMMANDS") == true)
        #expect(!pages.keys.contains { $0.contains("help") || $0.contains("manual") })
        for (name, text) in pages {
            // No line but a request begins like one.
            for line in text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
                #expect(line.firstMatch(of: #/^\.(TH|SH|TP|nf|fi|nh|hy)\b/#) != nil, "\(name): \(line)")
            }
        }
    }

    @Test func thePagesAreOfTheLanguageThatTheyClaim() throws {
        let json = """
            {"command": {"commandName": "x", "abstract": "a - \\\\ \\"b\\"", "discussion": ".dot\\n'quote\\n\\nlast", "arguments": [
              {"kind": "option", "names": [{"kind": "long", "name": "a-b"}, {"kind": "short", "name": "a"}], "valueName": "v",
               "isOptional": true, "isRepeating": true, "shouldDisplay": true, "abstract": "What it is.", "defaultValue": "1"},
              {"kind": "flag", "names": [{"kind": "long", "name": "old"}], "isOptional": true, "isRepeating": false,
               "shouldDisplay": false}]}}
            """
        let page = try #require(try ManualPage.pages(of: Data(json.utf8), version: "1")["x.1"])
        #expect(
            page == """
                .TH X 1 "" "x 1" "Flotilla"
                .SH NAME
                x \\- a \\- \\e \\(dqb\\(dq
                .SH SYNOPSIS
                .nh
                \\fBx\\fR
                [\\fB\\-\\-a\\-b\\fR \\fIv\\fR] ...
                .hy
                .SH DESCRIPTION
                .nf
                \\&.dot
                \\&'quote

                last
                .fi
                .SH OPTIONS
                .TP
                \\fB\\-\\-a\\-b\\fR, \\fB\\-a\\fR \\fIv\\fR
                What it is. Default: 1.

                """)
    }

    @Test func aSubcommandThatCanBeLeftOutIsMarked() throws {
        let json = """
            {"command": {"commandName": "x", "defaultSubcommand": "run", "subcommands": [{"commandName": "run", "abstract": "Runs."}]}}
            """
        let page = try #require(try ManualPage.pages(of: Data(json.utf8), version: "1")["x.1"])
        #expect(page.contains("\\fBx\\fR [\\fIcommand\\fR]\n"))
        #expect(page.contains("\\fBrun\\fR\nRuns. The default.\n"))
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionIsAScript(_ shell: String) async throws {
        let outcome = try await Program.run(["--generate-completion-script", shell])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("mailing") && !outcome.output.contains("\\u{"))
    }
}
