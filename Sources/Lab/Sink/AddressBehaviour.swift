/// What an address asks for by its name, before any profile. The local part begins with one of the words below, then come digits or
/// nothing, then its end or one of `-+._`: `defer2@example.com` and `bounce-17@example.com`, but not `deferrari@…`.
enum AddressBehaviour: Equatable {
    /// Refused for good at RCPT with 550 5.1.1; HTTP 410.
    case bounce
    /// Refused for good after the final dot with 554 5.7.1; HTTP 422.
    case reject
    /// Refused at RCPT with 450 4.2.0 in the first attempts (one, or as many as the digits say); HTTP 503.
    case `defer`(Int)
    /// Dropped in the first attempts before the message is taken.
    case drop(Int)
    /// Dropped in the first attempts after the message was taken.
    case lost(Int)
    /// Never answered in the first attempts.
    case stall(Int)

    init?(_ address: UnsafeRawBufferPointer) {
        switch address.first {
        case UInt8(ascii: "b"): self.init(address, "bounce") { _ in .bounce }
        case UInt8(ascii: "r"): self.init(address, "reject") { _ in .reject }
        case UInt8(ascii: "d"):
            let isDrop = address.starts(with: "dr")
            self.init(address, isDrop ? "drop" : "defer") { isDrop ? .drop($0) : .defer($0) }
        case UInt8(ascii: "l"): self.init(address, "lost") { .lost($0) }
        case UInt8(ascii: "s"): self.init(address, "stall") { .stall($0) }
        default: return nil
        }
    }

    private init?(_ address: UnsafeRawBufferPointer, _ word: StaticString, _ make: (Int) -> AddressBehaviour) {
        guard address.starts(with: word) else { return nil }
        var position = word.utf8CodeUnitCount
        var times: Int?
        while position < address.count, case let digit = Int(address[position]) - 48, (0...9).contains(digit) {
            times = min((times ?? 0) * 10 + digit, 1_000_000)
            position += 1
        }
        if position < address.count, !"@-+._".utf8.contains(address[position]) { return nil }
        self = make(times ?? 1)
    }

    private static let bounced = (Fault.smtp(550), Fault.http(410))
    private static let rejected = (Fault.smtp(554), Fault.http(422))
    private static let deferred = (Fault.smtp(450), Fault.http(503))

    /// The fault at RCPT, at the attempt counted from 1.
    func atRecipient(attempt: Int) -> Fault? {
        switch self {
        case .bounce: Self.bounced.0
        case .defer(let times) where attempt <= times: Self.deferred.0
        default: nil
        }
    }

    /// The fault after the final dot.
    func atEnd(attempt: Int) -> Fault? {
        switch self {
        case .reject: Self.rejected.0
        default: withoutResponse(attempt: attempt)
        }
    }

    /// The fault at the end of a request.
    func atRequest(attempt: Int) -> Fault? {
        switch self {
        case .bounce: Self.bounced.1
        case .reject: Self.rejected.1
        case .defer(let times) where attempt <= times: Self.deferred.1
        default: withoutResponse(attempt: attempt)
        }
    }

    private func withoutResponse(attempt: Int) -> Fault? {
        switch self {
        case .drop(let times) where attempt <= times: .drop
        case .lost(let times) where attempt <= times: .dropAfter
        case .stall(let times) where attempt <= times: .stall
        default: nil
        }
    }
}
