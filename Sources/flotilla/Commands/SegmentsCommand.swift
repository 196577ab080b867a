import ArgumentParser
import CommandSupport
import Control
import Customers
import Foundation
import Ledger
import Model
import Planning
import Telemetry
import Text

/// Questions and orders about segments of customers.
struct SegmentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segments", abstract: "Define segments of customers, count them and list their members.",
        discussion: "A segment is a tree of conditions in a file (YAML or JSON): docs/segments.md.",
        subcommands: [List.self, Add.self, Show.self, Count.self, Members.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Keep a segment under a name.")
        @Argument(help: "Its name.") var name: String
        @Argument(help: "The file with its conditions.") var file: String
        @Option(help: "Who looks after it; by default whoever gives the order.") var owner: String?
        @Flag(help: "Give a segment that is there already the conditions of the file.") var replace = false
        @OptionGroup var order: OrderOptions

        func run() async throws {
            let definition = try SegmentFile.read(file)
            let session = try order.session(order.settings())
            try await session.give(SaveSegment(name, definition, owner: owner, replaces: replace))
            let count = try await session.ledger.count(of: definition, now: Clock.milliseconds())
            StandardOutput.write("saved: \(LogText.line(name)), \(counted(count, "customer")) now")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the segments.")
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let segments = try await options.open().segments()
            if output.isJSON {
                for one in segments { StandardOutput.write(json: try ScriptJSON.line(SegmentJSON(one))) }
            } else if segments.isEmpty {
                StandardOutput.write("no segments yet: flotilla segments add NAME FILE\(options.hint)")
            } else {
                StandardOutput.write(
                    TextTable(
                        header: ["NAME", "OWNER", "CHANGED"],
                        rows: segments.map { [LogText.line($0.name), LogText.line($0.owner), Timestamp.text($0.changed)] }
                    ).text)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a segment's conditions, as JSON that add reads.")
        @Argument(help: "Its name.") var name: String
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let segment = try await SegmentChoice.find(name, options.open())
            if output.isJSON { return StandardOutput.write(json: try ScriptJSON.line(SegmentJSON(segment))) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            StandardOutput.write(String(decoding: try encoder.encode(segment.definition), as: UTF8.self))
        }
    }

    struct Count: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "count", abstract: "Count the members of a segment.")
        @OptionGroup var choice: SegmentChoice
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let ledger = try options.open()
            let count = try await ledger.count(of: try await choice.definition(ledger), now: Clock.milliseconds())
            if output.isJSON { return StandardOutput.write(json: #"{"members":\#(count)}"#) }
            StandardOutput.write(counted(count, "customer"))
        }
    }

    struct Members: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "members", abstract: "List the ids of a segment's members, in the order in which they were added.")
        @OptionGroup var choice: SegmentChoice
        @Option(help: "How many at most; by default all.") var limit: Int?
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        private struct Line: Encodable {
            let id: String
        }

        func validate() throws {
            if let limit, limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            let ledger = try options.open()
            let definition = try await choice.definition(ledger)
            // One time for all pages: nobody falls between two of them.
            let now = Clock.milliseconds()
            var left = limit ?? .max
            var page = SegmentPage(last: 0)
            while left > 0, !page.isEnd {
                page = try await ledger.members(of: definition, after: page.last, limit: min(left, 1000), now: now)
                left -= page.members.count
                for id in page.members {
                    if output.isJSON {
                        StandardOutput.write(json: try ScriptJSON.line(Line(id: id)))
                    } else {
                        StandardOutput.write(LogText.line(id))
                    }
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Forget a segment that no other uses.")
        @Argument(help: "Its name.") var name: String
        @OptionGroup var order: OrderOptions

        func run() async throws {
            try await order.session(order.settings()).give(RemoveSegment(name))
            StandardOutput.write("removed: \(LogText.line(name))")
        }
    }
}

/// The segment that a question is about.
struct SegmentChoice: ParsableArguments {
    @Argument(help: "Its name.") var name: String?
    @Option(help: "A file with conditions, which need not be saved.") var file: String?

    func validate() throws {
        guard (name == nil) != (file == nil) else { throw ValidationError("give either the name of a segment or --file FILE") }
    }

    func definition(_ ledger: any OpenLedger) async throws -> SegmentDefinition {
        if let file { return try SegmentFile.read(file) }
        return try await Self.find(name ?? "", ledger).definition
    }

    static func find(_ name: String, _ ledger: any OpenLedger) async throws -> StoredSegment {
        let segments = try await ledger.segments()
        if let found = segments.first(where: { $0.name == name }) { return found }
        let meant = NearestName.of(name, among: segments.map(\.name)).map { "; did you mean '\(LogText.line($0))'?" } ?? ""
        throw CommandError("there is no segment '\(LogText.line(name))'; flotilla segments list shows them\(meant)")
    }
}

/// A segment as commands print it for scripts.
struct SegmentJSON: Encodable {
    let name: String
    let owner: String
    let definition: SegmentDefinition
    let created: String
    let changed: String

    init(_ one: StoredSegment) {
        (name, owner, definition) = (one.name, one.owner, one.definition)
        (created, changed) = (Timestamp.text(one.created), Timestamp.text(one.changed))
    }
}
