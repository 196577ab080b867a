package import Foundation

/// Manual pages (man(7)) of a command and its subcommands, made of what ArgumentParser tells with `--experimental-dump-help`.
package enum ManualPage {
    /// - Parameters:
    ///   - dump: the JSON of a program.
    ///   - version: of the program.
    /// - Returns: the text of each page by its file name, `flotilla-mailing-pause.1`.
    /// - Throws: `DecodingError` where it is no such JSON.
    package static func pages(of dump: Data, version: String) throws -> [String: String] {
        let tool = try JSONDecoder().decode(Tool.self, from: dump)
        var pages: [String: String] = [:]
        add(tool.command, [], version, &pages)
        return pages
    }

    private struct Tool: Decodable {
        var command: Command
    }

    private struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var discussion: String?
        var shouldDisplay: Bool?
        var arguments: [Argument]?
        var subcommands: [Command]?
        /// The subcommand that is meant where none is named.
        var defaultSubcommand: String?
    }

    private struct Argument: Decodable {
        enum Kind: String, Decodable {
            case positional, option, flag
        }

        struct Name: Decodable {
            var kind: String
            var name: String
            var text: String { kind == "long" ? "--" + name : "-" + name }
        }

        var kind: Kind
        var abstract: String?
        var defaultValue: String?
        var allValues: [String]?
        var names: [Name]?
        var valueName: String?
        var isOptional: Bool
        var isRepeating: Bool
        var shouldDisplay: Bool

        /// As in a synopsis, in roff.
        var usage: String {
            let value = "\\fI\(escaped(valueName ?? ""))\\fR"
            let name = names?.map(\.text).max { $0.count < $1.count } ?? ""
            let text =
                switch kind {
                case .positional: value
                case .option: "\\fB\(escaped(name))\\fR \(value)"
                case .flag: "\\fB\(escaped(name))\\fR"
                }
            return (isOptional ? "[\(text)]" : text) + (isRepeating ? " ..." : "")
        }

        /// As the head of its description.
        var head: String {
            let value = kind == .flag ? "" : " \\fI\(escaped(valueName ?? ""))\\fR"
            if kind == .positional { return value.trimmingCharacters(in: .whitespaces) }
            return (names ?? []).map { "\\fB\(escaped($0.text))\\fR" }.joined(separator: ", ") + value
        }

        var meaning: String {
            var text = abstract ?? ""
            if let allValues, !allValues.isEmpty { text += " One of: \(allValues.joined(separator: ", "))." }
            if let defaultValue, !defaultValue.isEmpty { text += " Default: \(defaultValue)." }
            return text
        }
    }

    private static func add(_ command: Command, _ parents: [String], _ version: String, _ pages: inout [String: String]) {
        // `help` has no page: the pages are the help.
        guard command.shouldDisplay != false, command.commandName != "help" else { return }
        let path = parents + [command.commandName]
        pages[path.joined(separator: "-") + ".1"] = page(command, path, version)
        for subcommand in command.subcommands ?? [] { add(subcommand, path, version, &pages) }
    }

    private static func page(_ command: Command, _ path: [String], _ version: String) -> String {
        let name = path.joined(separator: "-")
        let program = path[0]
        let arguments = (command.arguments ?? []).filter(\.shouldDisplay)
        let subcommands = (command.subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
        let operand = command.defaultSubcommand == nil ? " \\fIcommand\\fR" : " [\\fIcommand\\fR]"
        var lines = [
            ".TH \(escaped(name.uppercased())) 1 \"\" \"\(escaped("\(program) \(version)"))\" \"Flotilla\"", ".SH NAME",
            "\(escaped(name)) \\- \(escaped(command.abstract ?? ""))", ".SH SYNOPSIS", ".nh",
            "\\fB\(escaped(path.joined(separator: " ")))\\fR" + (subcommands.isEmpty ? "" : operand),
        ]
        lines += arguments.map(\.usage) + [".hy"]
        if let discussion = command.discussion, !discussion.isEmpty {
            lines +=
                [".SH DESCRIPTION", ".nf"] + discussion.split(separator: "\n", omittingEmptySubsequences: false).map { text($0) } + [".fi"]
        }
        if !arguments.isEmpty { lines.append(".SH OPTIONS") }
        for argument in arguments { lines += [".TP", argument.head, text(argument.meaning)] }
        if !subcommands.isEmpty { lines.append(".SH COMMANDS") }
        for subcommand in subcommands {
            let mark = subcommand.commandName == command.defaultSubcommand ? " The default." : ""
            lines += [".TP", "\\fB\(escaped(subcommand.commandName))\\fR", text((subcommand.abstract ?? "") + mark)]
        }
        let related = (path.count > 1 ? [path.dropLast().joined(separator: "-")] : []) + subcommands.map { "\(name)-\($0.commandName)" }
        if !related.isEmpty {
            lines += [".SH SEE ALSO", related.map { "\\fB\(escaped($0))\\fR(1)" }.joined(separator: ", ")]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A line of text that roff takes for no request.
    private static func text(_ line: some StringProtocol) -> String {
        let text = escaped(line)
        return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
    }

    private static func escaped(_ text: some StringProtocol) -> String {
        String(text).replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("\"", with: "\\(dq").replacing("\n", with: " ")
    }
}
