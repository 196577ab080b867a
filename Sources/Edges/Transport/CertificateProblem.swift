import Glibc
import NIOSSL

/// Why a server's certificate is refused, in words that say what to correct.
enum CertificateProblem: Sendable, Equatable {
    /// Not valid any more, or not yet; since or from when, in seconds since 1970, where it is known.
    case expired(Int64?)
    case notYetValid(Int64?)
    /// It is another host's.
    case wrongName
    /// Its authority is not known here, or it is signed by itself.
    case untrusted

    /// - Parameter host: as the provider's URL has it.
    func text(host: String) -> String {
        switch self {
        case .expired(let time): "the server's certificate has expired\(time.map { " on \(Self.date($0))" } ?? "")"
        case .notYetValid(let time): "the server's certificate is not valid yet\(time.map { ", but from \(Self.date($0))" } ?? "")"
        case .wrongName: "the server's certificate is for another name than \(host)"
        case .untrusted: "the server's certificate is not trusted: it is signed by itself or by an authority that is not known here"
        }
    }

    var advice: String {
        switch self {
        case .expired: "renew it at the server, or check this machine's clock"
        case .notYetValid: "check this machine's clock and the server's"
        case .wrongName: "write the host in the provider's URL as the certificate has it"
        case .untrusted: "set the provider's `ca_file` to the PEM file of its authority"
        }
    }

    /// What BoringSSL refused, which tells no more than that it did.
    /// - Parameters:
    ///   - leaf: the certificate that the server showed.
    ///   - now: seconds since 1970.
    init(refused leaf: NIOSSLCertificate?, now: Int64) {
        guard let leaf else {
            self = .untrusted
            return
        }
        if Int64(leaf.notValidAfter) < now {
            self = .expired(Int64(leaf.notValidAfter))
        } else if Int64(leaf.notValidBefore) > now {
            self = .notYetValid(Int64(leaf.notValidBefore))
        } else {
            self = .untrusted
        }
    }

    /// What libcurl refused, by the result that OpenSSL gave (X509_V_ERR_… of openssl/x509_vfy.h).
    init(openSSL result: Int) {
        switch result {
        case 9: self = .notYetValid(nil)
        case 10: self = .expired(nil)
        // libcurl compares names itself, after OpenSSL was content.
        case 0, 62, 64: self = .wrongName
        default: self = .untrusted
        }
    }

    private static func date(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        guard gmtime_r(&time, &parts) != nil else { return "?" }
        return "\(parts.tm_year + 1900)-\(twoDigits(parts.tm_mon + 1))-\(twoDigits(parts.tm_mday))"
    }

    private static func twoDigits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
