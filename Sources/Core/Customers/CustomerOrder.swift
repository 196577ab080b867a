import FoundationEssentials

/// What a customer bought at once: a receipt.
package struct CustomerOrder: HistoryEntry {
    /// Lines at most.
    private static let mostLines = 1000

    package struct Line: Sendable, Equatable {
        package var product: String
        /// In millionths.
        package var quantity: Int64
        package var amount: Int64

        package init(product: String, quantity: Int64, amount: Int64) {
            (self.product, self.quantity, self.amount) = (product, quantity, amount)
        }
    }

    package var customer: String
    package var key: String
    /// Milliseconds since 1970.
    package var at: Int64
    /// In millionths of the currency.
    package var amount: Int64
    /// ISO 4217.
    package var currency: String
    package var lines: [Line]

    package init(customer: String, key: String, at: Int64, amount: Int64, currency: String, lines: [Line] = []) {
        (self.customer, self.key, self.at, self.amount) = (customer, key, at, amount)
        (self.currency, self.lines) = (currency, lines)
    }

    package static let columns = [
        HistoryColumn("customer"), HistoryColumn("key"), HistoryColumn("at"), HistoryColumn("amount"), HistoryColumn("currency"),
        HistoryColumn("lines", isRequired: false),
    ]

    package init(_ value: (Int) -> String) throws(HistoryFault) {
        customer = try HistoryValue.text(value(0), 0)
        key = try HistoryValue.text(value(1), 1)
        at = try HistoryValue.date(value(2), 2)
        amount = try HistoryValue.number(value(3), 3)
        currency = value(4)
        guard Self.isCurrency(currency) else {
            throw HistoryFault(column: 4, problem: "'\(HistoryValue.shown(currency))' is no currency such as EUR (ISO 4217)")
        }
        lines = try Self.lines(value(5))
    }

    package static func isCurrency(_ text: String) -> Bool {
        text.utf8.count == 3 && text.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
    }

    private struct LineText: Decodable {
        let product: String
        let quantity: Decimal?
        let amount: Decimal?
    }

    private static func lines(_ text: String) throws(HistoryFault) -> [Line] {
        guard !text.isEmpty else { return [] }
        guard let read = try? JSONDecoder().decode([LineText].self, from: Data(text.utf8)) else {
            throw HistoryFault(
                column: 5,
                problem: "is no JSON array of objects with product (text), quantity and amount (numbers): '\(HistoryValue.shown(text))'")
        }
        guard read.count <= mostLines else { throw HistoryFault(column: 5, problem: "has more than \(mostLines) lines") }
        var lines: [Line] = []
        for one in read {
            lines.append(
                Line(
                    product: try HistoryValue.text(one.product, 5),
                    quantity: try one.quantity.map { value throws(HistoryFault) in try HistoryValue.number("\(value)", 5) } ?? 1_000_000,
                    amount: try one.amount.map { value throws(HistoryFault) in try HistoryValue.number("\(value)", 5) } ?? 0))
        }
        return lines
    }
}
