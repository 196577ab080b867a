import Authentication
import CUnbound
import Foundation

extension NameAnswer {
    /// Records at most that are looked at, and bytes of a text; longer answers are cut.
    private static let mostRecords = 100
    private static let longestText = 8192

    /// What libunbound found.
    /// - Parameter error: of libunbound; 0 for none.
    init(_ error: Int32, _ result: UnsafeMutablePointer<ub_result>?) {
        guard error == 0, let result = result?.pointee else {
            self = .failed(error == 0 ? "there is no answer" : String(cString: ub_strerror(error)))
            return
        }
        // RFC 1035 section 4.1.1: 0 is no error, 3 says that there is no such name.
        guard result.rcode == 0 || result.nxdomain != 0 else {
            self = .failed(
                result.rcode == 2 ? "no server of DNS has a usable answer (SERVFAIL)" : "the answer has the code \(result.rcode)")
            return
        }
        guard result.havedata != 0, let kind = RecordKind(rawValue: result.qtype), let data = result.data, let lengths = result.len else {
            self = .none
            return
        }
        var records: [String] = []
        for index in 0..<Self.mostRecords {
            guard let start = data[index] else { break }
            let bytes = UnsafeRawBufferPointer(start: start, count: Int(max(0, lengths[index])))
            if let record = Self.text(kind, Array(bytes)) { records.append(record) }
        }
        self = records.isEmpty ? .none : .records(records)
    }

    /// A record in words; nil for one that is malformed.
    static func text(_ kind: RecordKind, _ bytes: [UInt8]) -> String? {
        switch kind {
        case .address4: return bytes.count == 4 ? bytes.map { String($0) }.joined(separator: ".") : nil
        case .address6: return bytes.count == 16 ? address6(bytes) : nil
        case .alias, .pointer: return name(bytes[...])
        case .mailExchanger:
            guard bytes.count > 2, let host = name(bytes[2...]) else { return nil }
            return "\(Int(bytes[0]) << 8 | Int(bytes[1])) \(host)"
        case .text:
            // Strings with a byte of length each, which are joined without a space (RFC 7208 section 3.3).
            var out: [UInt8] = []
            var rest = bytes[...]
            while let length = rest.popFirst() {
                out += rest.prefix(Int(length))
                rest = rest.dropFirst(Int(length))
            }
            return String(decoding: out.prefix(longestText), as: UTF8.self)
        }
    }

    private static func address6(_ bytes: [UInt8]) -> String? {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return nil }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }

    /// Labels with a byte of length each, without compression; the root's name is empty (RFC 1035 section 3.1).
    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        var labels: [String] = []
        var rest = bytes
        while let length = rest.popFirst() {
            if length == 0 { return labels.joined(separator: ".").lowercased() }
            guard length <= 63, rest.count > Int(length) else { return nil }
            labels.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
            rest = rest.dropFirst(Int(length))
        }
        return nil
    }
}
