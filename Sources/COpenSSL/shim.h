#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

// The library under librabbitmq's TLS: it can say which check of a certificate failed, librabbitmq cannot.
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
