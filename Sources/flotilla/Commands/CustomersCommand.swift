import ArgumentParser
import CommandSupport
import Control
import Customers
import Foundation
import Ledger
import Model
import Policy
import Telemetry
import Text

/// Questions and orders about customers.
struct CustomersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customers", abstract: "Import, show, export and remove customers, with what they agreed to.",
        discussion: """
            A customer has an id of yours, addresses by channel, subscriptions by channel and category, tags, and attributes that you add. \
            docs/customers.md tells more.
            """,
        subcommands: [Import.self, List.self, Show.self, Export.self, Remove.self, Attributes.self, Events.self, Orders.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List customers in the order in which they were added.")
        @OptionGroup var options: LedgerOptions
        @Option(help: "How many at most.") var limit = 100
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if limit < 1 { throw ValidationError("--limit is 1 or more") }
        }

        func run() async throws {
            let ledger = try options.open()
            var (left, isFirst) = (limit, true)
            for try await page in CustomerPages(ledger: ledger) {
                let shown = Array(page.prefix(left))
                if output.isJSON {
                    for one in shown { StandardOutput.write(json: try ScriptJSON.line(CustomerJSON(one))) }
                } else {
                    StandardOutput.write(CustomerText.table(shown, withHeader: isFirst))
                }
                isFirst = false
                left -= shown.count
                if left == 0 { break }
            }
            guard !output.isJSON else { return }
            let counts = try await ledger.customerCounts()
            let all = counts.values.reduce(0, +)
            if all == 0 { return StandardOutput.write("no customers yet: flotilla customers import FILE\(options.hint)") }
            let states = CustomerStatus.allCases.filter { counts[$0] != nil }.map { "\(grouped(counts[$0] ?? 0)) \($0.rawValue)" }
            let shown = all > limit ? "; \(grouped(limit)) are shown, more with --limit or flotilla customers export" : ""
            StandardOutput.write("\n\(counted(all, "customer")): \(states.joined(separator: ", "))\(shown)")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show what is known of a customer: addresses, consent, tags, attributes.")
        @Argument(help: "The customer's id, or an address.") var customer: String
        @Option(help: "The country of a telephone number without a country code (ISO 3166-1, such as DE).") var country: String?
        @OptionGroup var options: LedgerOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let ledger = try options.open()
            var found: [Customer] = []
            if let one = try await ledger.customer(customer) { found = [one] }
            if found.isEmpty {
                let country = try SuppressedNames.country(country)
                for channel in Channel.allCases {
                    guard let key = try? NormalAddress.key(customer, channel, country: country) else { continue }
                    for id in try await ledger.customers(with: key, channel, limit: 100) where !found.contains(where: { $0.id == id }) {
                        if let one = try await ledger.customer(id) { found.append(one) }
                    }
                }
            }
            guard !found.isEmpty else { throw CommandError("no customer has the id or the address '\(LogText.line(customer))'") }
            if output.isJSON {
                for one in found { StandardOutput.write(json: try ScriptJSON.line(CustomerJSON(one))) }
            } else {
                StandardOutput.write(found.map(CustomerText.profile).joined(separator: "\n\n"))
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove customers by their ids.",
            discussion: """
                Messages that they got stay in reports, and suppressions of their addresses stay too. flotilla recipient erase takes a \
                person out of all of the ledger.
                """)
        @Argument(help: "Their ids.") var ids: [String]
        @Flag(help: "Do not ask.") var yes = false
        @OptionGroup var order: OrderOptions

        func run() async throws {
            let session = try order.session(order.settings())
            try confirm()
            let removed = try await session.give(RemoveCustomers(ids))
            StandardOutput.write("removed: \(counted(removed, "customer"))")
            let missing = Set(ids).count - removed
            guard missing > 0 else { return }
            // As with every order about several things: that some are not there is an error, and the others are done.
            StandardError.write("there are no such customers: \(grouped(missing)) of \(grouped(Set(ids).count))")
            throw ExitCode(.failed)
        }

        private func confirm() throws {
            if yes { return }
            guard isatty(STDIN_FILENO) != 0, isatty(STDERR_FILENO) != 0 else {
                throw CommandError("\(counted(ids.count, "customer")) would be removed for good: add --yes")
            }
            StandardError.write("Remove \(counted(ids.count, "customer")) with addresses, consent and attributes? [y/N]")
            guard ["y", "yes"].contains(readLine()?.lowercased() ?? "") else { throw CommandError("nothing was removed") }
        }
    }

    struct Attributes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "attributes", abstract: "List and add the attributes that customers may have.", subcommands: [List.self, Add.self])

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(commandName: "list", abstract: "List the attributes with their types.")
            @OptionGroup var options: LedgerOptions
            @OptionGroup var output: OutputOptions

            private struct Line: Encodable {
                let name: String
                let type: AttributeType
            }

            func run() async throws {
                let attributes = try await options.open().attributes()
                if output.isJSON {
                    for one in attributes { StandardOutput.write(json: try ScriptJSON.line(Line(name: one.name, type: one.type))) }
                } else if attributes.isEmpty {
                    StandardOutput.write("no attributes yet: flotilla customers attributes add NAME TYPE\(options.hint)")
                } else {
                    StandardOutput.write(TextTable(header: ["NAME", "TYPE"], rows: attributes.map { [$0.name, $0.type.rawValue] }).text)
                }
            }
        }

        struct Add: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "add", abstract: "Add an attribute. Its type stays for ever.")
            @Argument(help: "Its name, such as birth_date.") var name: String
            @Argument(help: "Its type: text, number, date, boolean or list.") var type: AttributeType
            @OptionGroup var order: OrderOptions

            func validate() throws {
                if let fault = Attribute.fault(ofName: name) { throw ValidationError("'\(LogText.line(name))' \(fault)") }
            }

            func run() async throws {
                let session = try await order.beginningSession(order.settings())
                let isNew = try await session.give(AddAttribute(name, type))
                StandardOutput.write(isNew ? "added: \(name), \(type.rawValue)" : "there already: \(name), \(type.rawValue)")
            }
        }
    }
}

extension AttributeType: ExpressibleByArgument {}
