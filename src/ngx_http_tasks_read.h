
/*
 * Reading a page of a list from Redis.
 */


#ifndef _NGX_HTTP_TASKS_READ_H_INCLUDED_
#define _NGX_HTTP_TASKS_READ_H_INCLUDED_


#include <ngx_http_tasks_key.h>
#include <ngx_http_tasks_store.h>


typedef struct ngx_http_tasks_read_s  ngx_http_tasks_read_t;


/* Called once when a page was read, or could not be. */
typedef void (*ngx_http_tasks_read_pt)(ngx_http_tasks_read_t *read,
    ngx_http_tasks_error_e error);


/* An index, as it was read. */
typedef struct {
    ngx_str_t                     suffix;
    ngx_str_t                     revision;  /* data is NULL: no such index */
    ngx_http_tasks_reply_t       *members;   /* strings */
    ngx_uint_t                    nmembers;
    int64_t                       total;     /* of its members, if counted */
} ngx_http_tasks_index_t;


struct ngx_http_tasks_read_s {
    ngx_http_tasks_store_t       *store;
    ngx_http_tasks_op_t          *op;        /* its memory has the results */
    ngx_http_tasks_read_pt        done;
    void                         *data;      /* of done */

    /* what to read; set by whoever starts it */
    ngx_http_tasks_collection_t  *collection;
    ngx_str_t                     base;      /* key */
    ngx_http_tasks_index_t       *indexes;   /* with their suffixes */
    ngx_uint_t                    nindexes;
    ngx_str_t                     cursor;    /* position; data is NULL: none */
    int64_t                       offset;    /* rank of the first row */
    ngx_uint_t                    wanted;    /* rows */
    ngx_uint_t                    fetched;   /* members to ask for */
    ngx_uint_t                    whole;     /* all or nothing: no limit */
    ngx_uint_t                    counted;   /* totals are asked for */
    ngx_uint_t                    separator; /* between rows */

    ngx_uint_t                    tries;     /* 0 to begin with */
    ngx_uint_t                    no_page;   /* the function cannot be called */
    ngx_uint_t                    first;     /* op asks for nothing that
                                                follows from what was read */

    /* what was read */
    ngx_http_tasks_reply_t       *members;   /* positions, in order */
    ngx_uint_t                    nmembers;
    ngx_http_tasks_writer_t      *rows;      /* NULL: none */
    int64_t                       total;     /* if counted */
    ngx_uint_t                    more;      /* tasks follow this page */
};


/*
 * Reads the page on read->op, or again on a new one.  NGX_HTTP_TASKS_NO_ERROR:
 * read->done will be called, later; else the class of the error.
 */
ngx_http_tasks_error_e ngx_http_tasks_read_index(ngx_http_tasks_read_t *read);

/* Reads it by the function. */
ngx_http_tasks_error_e ngx_http_tasks_read_page(ngx_http_tasks_read_t *read);

/* Writes what tells one page of some revisions from any other, in 32 digits. */
void ngx_http_tasks_read_etag(const ngx_http_tasks_read_t *read, u_char *etag);

/* Adds the command for the revisions of all indexes. */
void ngx_http_tasks_read_revisions(ngx_http_tasks_read_t *read);

/*
 * Whether these revisions are those of the indexes.  NGX_DECLINED: one is
 * not; NGX_ERROR: the reply is none.
 */
ngx_int_t ngx_http_tasks_read_unmoved(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *reply);

/* Takes the revisions from such a reply.  NGX_ERROR: it is none. */
ngx_int_t ngx_http_tasks_read_take(ngx_http_tasks_read_t *read,
    ngx_http_tasks_reply_t *reply);

/* A revision, or nil; NGX_ERROR: it is neither. */
ngx_int_t ngx_http_tasks_read_revision(ngx_http_tasks_reply_t *reply,
    ngx_str_t *revision);

/*
 * Only a writer that goes past the functions, or Redis evicting keys, can
 * bring this about: an error is due, not a list that looks whole.  Of several
 * indexes it may be any if "suffix" is NULL.
 */
ngx_http_tasks_error_e ngx_http_tasks_read_broken(ngx_http_tasks_read_t *read,
    ngx_str_t *suffix, const char *what);

/* With the members known, and their rows (NULL: none) in order. */
ngx_http_tasks_error_e ngx_http_tasks_read_finish(ngx_http_tasks_read_t *read,
    ngx_http_tasks_writer_t *rows);

/* Starts read->op; its handler gets the read as op->data. */
ngx_http_tasks_error_e ngx_http_tasks_read_send(ngx_http_tasks_read_t *read,
    ngx_http_tasks_op_pt handler);
ngx_http_tasks_error_e ngx_http_tasks_read_distrust(
    ngx_http_tasks_read_t *read);


#endif /* _NGX_HTTP_TASKS_READ_H_INCLUDED_ */
