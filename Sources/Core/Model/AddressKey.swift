import Text

/// The form in which two addresses of a channel are compared: by it a person is known.
package enum AddressKey {
    /// Appends the key of an address in its normal form.
    package static func append(of normal: UnsafeBufferPointer<UInt8>, _ channel: Channel, to key: inout [UInt8]) {
        if channel == .email { EmailAddress.appendKey(of: normal, to: &key) } else { key.append(contentsOf: normal) }
    }
}
