import CCurl
import Dispatch
package import Model
import Text

/// Connects to a provider as far as a message could follow, and sends none: TCP, TLS with the certificate, and of SMTP the greeting, EHLO,
/// STARTTLS and AUTH. Over HTTP no request is made.
package enum ConnectionProbe {
    package struct Outcome: Sendable, Equatable {
        /// Why no message could follow, in libcurl's words; nil where one could.
        package var problem: String?
        /// The server's certificate is what was refused.
        package var isCertificate = false
        /// The log-in is what was refused.
        package var isLogin = false
        /// When the server's certificate ends, in seconds since 1970; nil where there is none, or none was shown.
        package var certificateEnd: Int64?
    }

    /// - Parameters:
    ///   - isChecked: the certificate has to be valid for the host.
    ///   - address: where the host is; nil asks the system.
    ///   - timeout: of everything.
    package static func run(
        _ provider: Provider, checksCertificate isChecked: Bool, at address: String? = nil, timeout: Duration
    ) async -> Outcome {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: connect(provider, isChecked, address, timeout)) }
        }
    }

    private static func connect(_ provider: Provider, _ isChecked: Bool, _ address: String?, _ timeout: Duration) -> Outcome {
        guard LibCurl.isReady, let handle = curl_easy_init() else { return Outcome(problem: "libcurl cannot be used") }
        defer { curl_easy_cleanup(handle) }
        prepare(handle, provider, isChecked, timeout)
        let place = address.flatMap { curl_slist_append(nil, "::\(URLHost.bracketed($0)):\(provider.port)") }
        defer { curl_slist_free_all(place) }
        if let place { _ = flotilla_curl_set_pointer(handle, CURLOPT_CONNECT_TO, place) }
        let code = curl_easy_perform(handle)
        let end = flotilla_curl_certificate_end(handle)
        return Outcome(
            problem: code == CURLE_OK ? nil : String(cString: curl_easy_strerror(code)),
            isCertificate: code == CURLE_PEER_FAILED_VERIFICATION, isLogin: code == CURLE_LOGIN_DENIED,
            certificateEnd: end < 0 ? nil : Int64(end))
    }

    private static func prepare(_ handle: UnsafeMutableRawPointer, _ provider: Provider, _ isChecked: Bool, _ timeout: Duration) {
        let url = "\(provider.scheme.rawValue)://\(URLHost.bracketed(provider.host)):\(provider.port)/"
        _ = flotilla_curl_set_text(handle, CURLOPT_URL, url)
        let milliseconds = max(1, Int(timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000))
        for (option, value) in [
            (CURLOPT_CONNECT_ONLY, 1), (CURLOPT_CERTINFO, 1), (CURLOPT_NOSIGNAL, 1), (CURLOPT_TIMEOUT_MS, milliseconds),
            (CURLOPT_SSL_VERIFYPEER, isChecked ? 1 : 0), (CURLOPT_SSL_VERIFYHOST, isChecked ? 2 : 0),
            (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
        ] { _ = flotilla_curl_set_long(handle, option, value) }
        // The environment's proxy is none of the workers'.
        _ = flotilla_curl_set_text(handle, CURLOPT_PROXY, "")
        if let file = provider.caFile { _ = flotilla_curl_set_text(handle, CURLOPT_CAINFO, file) }
        if provider.scheme == .smtp {
            let use =
                switch provider.startTLS {
                case .never: CURLUSESSL_NONE
                case .opportunistic: CURLUSESSL_TRY
                case .required: CURLUSESSL_ALL
                }
            _ = flotilla_curl_set_long(handle, CURLOPT_USE_SSL, Int(use.rawValue))
        }
        if provider.scheme.isSMTP, let username = provider.username {
            _ = flotilla_curl_set_text(handle, CURLOPT_USERNAME, username)
            _ = flotilla_curl_set_text(handle, CURLOPT_PASSWORD, provider.password?.exposed ?? "")
        }
    }
}
