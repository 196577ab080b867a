import ArgumentParser
import CommandSupport
import Control
import Foundation
import Ledger
import Logging
import Model
import Telemetry

extension SuppressionsCommand {
    struct Categories: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "categories", abstract: "List, add and remove the categories that people can be unsubscribed from.",
            discussion: """
                A mailing or a suppression may only name a category that was added, so that a misspelt one is an error and not a mailing \
                to those who have unsubscribed.
                """,
            subcommands: [List.self, Add.self, Remove.self])

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "list", abstract: "List the categories, with how many mailings and suppressions have them.")
            @OptionGroup var options: LedgerOptions
            @OptionGroup var output: OutputOptions

            private struct Line: Encodable {
                let category: String
                let mailings: Int
                let suppressions: Int
                let since: String
            }

            func run() async throws {
                let uses = try await options.open().categoryUses()
                if output.isJSON {
                    for use in uses {
                        let line = Line(
                            category: use.name, mailings: use.mailings, suppressions: use.suppressions, since: Timestamp.text(use.created))
                        StandardOutput.write(json: try ScriptJSON.line(line))
                    }
                    return
                }
                guard !uses.isEmpty else {
                    return StandardOutput.write("no categories yet: flotilla suppressions categories add NAME")
                }
                let rows = uses.map { [$0.name, grouped($0.mailings), grouped($0.suppressions), Timestamp.text($0.created)] }
                let header = ["CATEGORY", "MAILINGS", "SUPPRESSIONS", "SINCE"]
                StandardOutput.write(TextTable(header: header, rows: rows, rightAligned: [1, 2]).text)
            }
        }

        struct Add: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "add", abstract: "Add categories: mailings and suppressions may name them from now on.")
            @Argument(help: "Their names: 1 to 64 of a-z, 0-9, '-', '_' and '.', such as news.") var names: [String]
            @OptionGroup var order: OrderOptions

            /// As everywhere a person writes a category, its case does not count.
            private var small: [String] { names.map { $0.lowercased() } }

            func validate() throws {
                for name in small {
                    if let fault = Category.fault(name) { throw ValidationError("'\(LogText.line(name))' \(fault)") }
                }
            }

            func run() async throws {
                let session = try await order.beginningSession(order.settings())
                let new = try await session.give(AddCategories(small))
                let known = names.count - new.count
                let parts = [
                    new.isEmpty ? nil : "added: \(new.joined(separator: ", "))", known == 0 ? nil : "\(grouped(known)) there already",
                ]
                StandardOutput.write(parts.compactMap(\.self).joined(separator: "; "))
            }
        }

        struct Remove: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "remove",
                abstract: "Forget a category that no mailing and no suppression has, as one that was misspelt when it was added.")
            @Argument(help: "Its name.") var name: String
            @OptionGroup var order: OrderOptions

            func run() async throws {
                let session = try order.session(order.settings())
                try await session.give(RemoveCategory(name.lowercased()))
                StandardOutput.write("removed: \(LogText.line(name))")
            }
        }
    }
}
