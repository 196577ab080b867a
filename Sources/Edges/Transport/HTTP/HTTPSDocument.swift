import CCurl
import Dispatch

/// Fetches a small document by HTTPS: the certificate's chain and name are checked, no redirect is followed, and time and size are bounded.
package enum HTTPSDocument {
    /// Bytes at most.
    private static let most = 256 << 10
    private static let seconds = 10

    /// - Throws: `HTTPSDocumentError` for any answer but 200 with as much as may be.
    package static func fetch(_ url: String) async throws(HTTPSDocumentError) -> [UInt8] {
        let result: Result<[UInt8], HTTPSDocumentError> = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: load(url)) }
        }
        return try result.get()
    }

    /// The bytes of one answer.
    private final class Body {
        var bytes: [UInt8] = []
    }

    private static let onBody: curl_write_callback = { part, size, count, owner in
        guard let part, let owner else { return 0 }
        let body = Unmanaged<Body>.fromOpaque(owner).takeUnretainedValue()
        guard body.bytes.count + size * count <= HTTPSDocument.most else { return 0 }
        body.bytes += UnsafeRawBufferPointer(start: part, count: size * count)
        return size * count
    }

    private static func load(_ url: String) -> Result<[UInt8], HTTPSDocumentError> {
        guard LibCurl.isReady, let handle = curl_easy_init() else { return .failure(HTTPSDocumentError("libcurl cannot be used")) }
        defer { curl_easy_cleanup(handle) }
        let body = Body()
        flotilla_curl_set_text(handle, CURLOPT_URL, url)
        flotilla_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "https")
        flotilla_curl_set_text(handle, CURLOPT_PROXY, "")
        flotilla_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        flotilla_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 0)
        flotilla_curl_set_long(handle, CURLOPT_TIMEOUT, seconds)
        flotilla_curl_on_body(handle, onBody, Unmanaged.passUnretained(body).toOpaque())
        let code = withExtendedLifetime(body) { curl_easy_perform(handle) }
        guard code == CURLE_OK else { return .failure(HTTPSDocumentError(String(cString: curl_easy_strerror(code)))) }
        var status = 0
        flotilla_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return status == 200 ? .success(body.bytes) : .failure(HTTPSDocumentError("it was answered with \(status)"))
    }
}

/// Why a document cannot be had.
package struct HTTPSDocumentError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
