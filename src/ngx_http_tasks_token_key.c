
/*
 * Keys are read from their files when the configuration is, by tasks_jwt_key,
 * and never at run time.  One that is not for its algorithm is refused then.
 * No message says what is in a file.
 */


#include <ngx_http_tasks_token_key.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>


/* bytes of a key's file */
#define NGX_HTTP_TASKS_MAX_KEY  8192


static ngx_int_t ngx_http_tasks_token_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *text);
static ngx_int_t ngx_http_tasks_token_secret(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_tasks_key_t *key);
static ngx_int_t ngx_http_tasks_token_pem(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_tasks_key_t *key);
static void ngx_http_tasks_token_key_free(void *data);


static const struct ngx_http_tasks_alg_s  ngx_http_tasks_algs[] = {
    { ngx_string("HS256"), 0, EVP_sha256 },
    { ngx_string("HS384"), 0, EVP_sha384 },
    { ngx_string("HS512"), 0, EVP_sha512 },
    { ngx_string("RS256"), EVP_PKEY_RSA, EVP_sha256 },
    { ngx_string("ES256"), EVP_PKEY_EC, EVP_sha256 },
    { ngx_string("EdDSA"), EVP_PKEY_ED25519, NULL },
    { ngx_null_string, 0, NULL }
};


ngx_int_t
ngx_http_tasks_token_key(ngx_conf_t *cf, ngx_str_t *alg, ngx_str_t *file,
    ngx_http_tasks_key_t *key)
{
    const struct ngx_http_tasks_alg_s  *known;

    for (known = ngx_http_tasks_algs; known->name.len; known++) {
        if (ngx_http_tasks_equal(&known->name, alg)) {
            break;
        }
    }

    if (known->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown algorithm \"%V\", it "
                           "may be HS256, HS384, HS512, RS256, ES256 or EdDSA",
                           alg);
        return NGX_ERROR;
    }

    key->alg = known;

    if (ngx_http_tasks_token_read(cf, file, &key->secret) != NGX_OK) {
        return NGX_ERROR;
    }

    return known->type ? ngx_http_tasks_token_pem(cf, file, key)
                       : ngx_http_tasks_token_secret(cf, file, key);
}


static ngx_int_t
ngx_http_tasks_token_read(ngx_conf_t *cf, ngx_str_t *file, ngx_str_t *text)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    n = NGX_ERROR;
    text->len = 0;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR
        && ngx_file_size(&fi) <= NGX_HTTP_TASKS_MAX_KEY)
    {
        text->len = (size_t) ngx_file_size(&fi);
        text->data = ngx_pnalloc(cf->pool, text->len + 1);

        if (text->data) {
            n = ngx_read_fd(fd, text->data, text->len);
        }
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", file);
    }

    if (n <= 0 || (size_t) n != text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no key: it must be a file of 1 to %d "
                           "bytes", file, NGX_HTTP_TASKS_MAX_KEY);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The bytes of the file, but for a line end that editors leave. */

static ngx_int_t
ngx_http_tasks_token_secret(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_tasks_key_t *key)
{
    ngx_str_t  *secret;

    secret = &key->secret;

    if (secret->data[secret->len - 1] == LF) {
        secret->len--;

        if (secret->len && secret->data[secret->len - 1] == CR) {
            secret->len--;
        }
    }

    if (secret->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is an empty key",
                           file);
        return NGX_ERROR;
    }

    if (secret->len < 32) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "the key in \"%V\" has less "
                           "than 32 bytes and may be guessed", file);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_tasks_token_pem(ngx_conf_t *cf, ngx_str_t *file,
    ngx_http_tasks_key_t *key)
{
    BIO                 *bio;
    char                 curve[64];
    EVP_PKEY            *pkey;
    ngx_pool_cleanup_t  *cln;

    bio = BIO_new_mem_buf(key->secret.data, (int) key->secret.len);
    pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error();

    if (pkey == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no public key in "
                           "PEM form (\"BEGIN PUBLIC KEY\")", file);
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        EVP_PKEY_free(pkey);
        return NGX_ERROR;
    }

    cln->handler = ngx_http_tasks_token_key_free;
    cln->data = pkey;
    key->pkey = pkey;

    if (EVP_PKEY_base_id(pkey) != key->alg->type
        || (key->alg->type == EVP_PKEY_RSA && EVP_PKEY_bits(pkey) < 2048)
        || (key->alg->type == EVP_PKEY_EC
            && (EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), NULL) != 1
                || ngx_strcmp(curve, "prime256v1") != 0)))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "the key in \"%V\" is none "
                           "for %V: RS256 wants RSA of 2048 bits or more, "
                           "ES256 the curve P-256, EdDSA Ed25519", file,
                           &key->alg->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_tasks_token_key_free(void *data)
{
    EVP_PKEY_free(data);
}
