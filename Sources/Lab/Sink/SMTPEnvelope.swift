/// The sender's declarations and the recipients of the message that is being taken.
struct SMTPEnvelope {
    /// MAIL was accepted.
    private(set) var isOpen = false
    /// When, in microseconds since 1970.
    private(set) var begun: Int64 = 0
    /// SMTPUTF8 was declared.
    private(set) var isUTF8 = false
    private var addresses: [UInt8] = []
    private var ends: [Int] = []
    /// The attempt of the first recipient: what becomes of it becomes of the message to all.
    private(set) var attempt = FaultSelector.Attempt(key: 0, number: 0)
    /// What an address asks for at the end of the message.
    private(set) var fault: Fault?

    var count: Int { ends.count }

    mutating func open(at now: Int64, isUTF8: Bool) {
        isOpen = true
        begun = now
        self.isUTF8 = isUTF8
    }

    mutating func add(_ address: UnsafeRawBufferPointer, attempt: FaultSelector.Attempt, fault: Fault?) {
        if ends.isEmpty { self.attempt = attempt }
        addresses.append(contentsOf: address)
        ends.append(addresses.count)
        if self.fault == nil { self.fault = fault }
    }

    /// Calls `body` with each recipient's address.
    func forEachRecipient(_ body: (UnsafeRawBufferPointer) -> Void) {
        addresses.withUnsafeBytes { bytes in
            var start = 0
            for end in ends {
                body(bytes.slice(start..<end))
                start = end
            }
        }
    }

    mutating func clear() {
        isOpen = false
        addresses.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        fault = nil
    }
}
