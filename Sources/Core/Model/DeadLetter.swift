/// An entry of a stream that could not be read, as it is kept for people and for a release that can read it.
package struct DeadLetter: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The stream it was in, without the prefix: `status:2`, `lane:email:main`.
    package var stream: String
    /// Its id there.
    package var entry: String
    /// Why it cannot be read.
    package var reason: String
    package var fields: [Field]
    /// When it was found, in milliseconds since 1970.
    package var at: Int64 = 0
    /// Its fields are here in full: it can be put back.
    package var isWhole = true
    /// What it says of itself, as far as that can be read.
    package var mailing: MailingID?
    package var batch: Int?
    package var dispatchNumber: Int?

    package init(stream: String, entry: String, reason: String, fields: [Field]) {
        self.stream = stream
        self.entry = entry
        self.reason = reason
        self.fields = fields
    }

    /// It was a batch on its way to a worker.
    package var isBatch: Bool { stream.hasPrefix("lane:") }

    /// Bytes of all its fields.
    package var bytes: Int { fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count } }
}
