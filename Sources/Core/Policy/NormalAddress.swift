package import Model
import Text

/// The normal form of the addresses of each channel, which messages are sent to.
package enum NormalAddress {
    /// Why a text is no address of a channel, as the end of a sentence.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Checks an address and appends its normal form to `normal`, which may have grown even when it throws.
    /// - Parameters:
    ///   - raw: UTF-8, not empty.
    ///   - country: of telephone numbers without a country code; nil takes none of these.
    /// - Returns: whether it is a telephone number in no range that is known.
    package static func append(
        _ raw: UnsafeBufferPointer<UInt8>, _ channel: Channel, country: PhoneCountry?, to normal: inout [UInt8]
    ) throws(Fault) -> Bool {
        switch channel {
        case .email:
            if let fault = EmailAddress.normalise(pasted: raw, into: &normal) { throw Fault(description: fault.description) }
        case .sms:
            do throws(PhoneNumberError) {
                let number = try PhoneNumber(raw, country: country)
                normal.append(contentsOf: number.description.utf8)
                return !number.isVerified
            } catch { throw Fault(description: error.description) }
        case .webhook, .messenger: normal.append(contentsOf: raw)
        }
        return false
    }

    /// The key of an address that a person wrote.
    package static func key(_ text: String, _ channel: Channel, country: PhoneCountry?) throws(Fault) -> String {
        let raw = Array(text.utf8)
        var normal: [UInt8] = []
        try raw.withUnsafeBufferPointer { raw throws(Fault) in
            let raw = raw.trimmed
            guard !raw.isEmpty else { throw Fault(description: "is empty") }
            _ = try append(raw, channel, country: country, to: &normal)
        }
        var key: [UInt8] = []
        normal.withUnsafeBufferPointer { AddressKey.append(of: $0, channel, to: &key) }
        return String(decoding: key, as: UTF8.self)
    }
}
