// What Swift cannot import of libcurl by itself: its variadic functions, as one inline function a type of value, and the
// Linux calls by which its sockets are watched, which Swift's Glibc module leaves out.
#pragma once
#include <curl/curl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static inline CURLcode flotilla_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flotilla_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flotilla_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode flotilla_curl_set_headers(CURL *handle, struct curl_slist *lines) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines);
}

static inline CURLcode flotilla_curl_on_body(CURL *handle, curl_write_callback callback, void *owner) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_WRITEDATA, owner);
}

static inline CURLcode flotilla_curl_on_request(CURL *handle, curl_prereq_callback callback, void *owner) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, callback);
    return code ? code : curl_easy_setopt(handle, CURLOPT_PREREQDATA, owner);
}

static inline CURLcode flotilla_curl_on_sockets(
    CURL *handle, curl_opensocket_callback open, curl_closesocket_callback close, void *owner) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open);
    if (!code) code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, owner);
    if (!code) code = curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, close);
    return code ? code : curl_easy_setopt(handle, CURLOPT_CLOSESOCKETDATA, owner);
}

static inline CURLcode flotilla_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode flotilla_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode flotilla_curl_get_owner(CURL *handle, void **owner) {
    return curl_easy_getinfo(handle, CURLINFO_PRIVATE, owner);
}

static inline CURLMcode flotilla_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode flotilla_curl_multi_on_socket(CURLM *multi, curl_socket_callback callback, void *owner) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
    return code ? code : curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, owner);
}

static inline CURLMcode flotilla_curl_multi_on_timer(CURLM *multi, curl_multi_timer_callback callback, void *owner) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
    return code ? code : curl_multi_setopt(multi, CURLMOPT_TIMERDATA, owner);
}

// When the server's own certificate ends, in seconds since 1970; -1 where it is not known. CURLOPT_CERTINFO has to be set.
static inline long long flotilla_curl_certificate_end(CURL *handle) {
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) || !chain || chain->num_of_certs < 1) return -1;
    for (struct curl_slist *line = chain->certinfo[0]; line; line = line->next)
        if (!strncmp(line->data, "Expire date:", 12)) return curl_getdate(line->data + 12, NULL);
    return -1;
}
